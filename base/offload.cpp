#include "base/offload.h"

#include <cassert>
#include <cstdlib>

namespace posthorn {

Lane::Lane(Loop& loop, std::string name, unsigned concurrency, std::size_t queue_limit)
    : loop_(loop), name_(std::move(name)), concurrency_(concurrency), queue_limit_(queue_limit) {}

Lane::~Lane() { assert(running_ == 0 && queue_.empty()); }

bool Lane::submit(Job& job) {
  job.lane_ = this;
  if (running_ < concurrency_) {
    begin(job);
    return true;
  }
  if (queue_.size() >= queue_limit_) return false;
  queue_.push_back(&job);
  return true;
}

void Lane::begin(Job& job) {
  ++running_;
  const int refused = uv_queue_work(
      loop_.raw(), &job.request_, [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        auto* done = static_cast<Job*>(request->data);
        // The lane goes on first: finish() resumes the frame that owns the job, which may free both.
        done->lane_->ended();
        done->finish();
      });
  if (refused != 0) std::abort();
}

void Lane::ended() {
  --running_;
  if (queue_.empty()) return;
  Job* next = queue_.front();
  queue_.pop_front();
  begin(*next);
}

}  // namespace posthorn
