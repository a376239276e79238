#include "base/offload.h"

#include <uv.h>

#include <cassert>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace posthorn {

// The threads of a lane. Not libuv's pool: that wakes a thread while it holds the lock which the thread then
// waits for, so that a job costs five system calls of waiting rather than two, and the one that has rested
// longest.
class Lane::Crew {
 public:
  Crew(Loop& loop, unsigned concurrency, std::size_t queue_limit)
      : concurrency_(concurrency), queue_limit_(queue_limit), done_event_(new uv_async_t) {
    const auto on_done = [](uv_async_t* event) { static_cast<Crew*>(event->data)->finish_done(); };
    // Without a descriptor for the loop itself there is no server to run.
    if (uv_async_init(loop.raw(), done_event_.get(), on_done) != 0) std::abort();
    done_event_->data = this;
    keep_loop_running(false);
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  bool take(Job& job);

 private:
  struct Worker {
    explicit Worker(Job& first) : job(&first) {
      if (uv_sem_init(&given, 0) != 0) std::abort();
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker() { uv_sem_destroy(&given); }

    Job* job;        // what to do next; after a wait, nothing means that it is over
    uv_sem_t given;  // unlike a condition, it needs no lock anew when the wait is over
    std::thread thread;
  };

  bool hire(Job& job);
  void serve(Worker& self);
  void finish_done();
  void keep_loop_running(bool keep) {
    auto* handle = reinterpret_cast<uv_handle_t*>(done_event_.get());
    keep ? uv_ref(handle) : uv_unref(handle);
  }

  const unsigned concurrency_;
  const std::size_t queue_limit_;
  UvHandle<uv_async_t> done_event_;
  std::size_t unfinished_ = 0;  // the loop thread's

  std::mutex mutex_;  // of all below
  std::deque<Job*> queue_;
  std::vector<Job*> done_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> resting_;  // the last one has what it needs in the processor's caches still
};

Lane::Crew::~Crew() {
  assert(unfinished_ == 0);
  for (const auto& worker : workers_) {
    uv_sem_post(&worker->given);
    worker->thread.join();
  }
}

bool Lane::Crew::take(Job& job) {
  Worker* resting = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (!resting_.empty()) {
      resting = resting_.back();
      resting_.pop_back();
      resting->job = &job;
    } else if (workers_.size() < concurrency_ && hire(job)) {
      // It begins with the job.
    } else if (!workers_.empty() && queue_.size() < queue_limit_) {
      queue_.push_back(&job);
    } else {
      return false;
    }
  }
  if (resting != nullptr) uv_sem_post(&resting->given);
  if (unfinished_++ == 0) keep_loop_running(true);
  return true;
}

// False where the system gives no thread: those that there are have to do.
bool Lane::Crew::hire(Job& job) {
  workers_.reserve(concurrency_);
  resting_.reserve(concurrency_);
  auto worker = std::make_unique<Worker>(job);
  try {
    worker->thread = std::thread([this, self = worker.get()] { serve(*self); });
  } catch (const std::system_error&) {
    return false;
  }
  workers_.push_back(std::move(worker));
  return true;
}

// What a worker does with its life.
void Lane::Crew::serve(Worker& self) {
  while (self.job != nullptr) {
    self.job->work();
    bool rests = false;
    {
      const std::scoped_lock lock(mutex_);
      done_.push_back(std::exchange(self.job, nullptr));
      rests = queue_.empty();
      if (rests) {
        resting_.push_back(&self);
      } else {
        self.job = queue_.front();
        queue_.pop_front();
      }
    }
    uv_async_send(done_event_.get());
    if (rests) uv_sem_wait(&self.given);
  }
}

void Lane::Crew::finish_done() {
  std::vector<Job*> done;
  {
    const std::scoped_lock lock(mutex_);
    done.swap(done_);
  }
  unfinished_ -= done.size();
  if (unfinished_ == 0) keep_loop_running(false);
  // Each resumes the frame that owns the job, which may free it and submit others.
  for (Job* job : done) job->finish();
}

Lane::Lane(Loop& loop, std::string name, unsigned concurrency, std::size_t queue_limit)
    : loop_(loop), name_(std::move(name)), crew_(std::make_unique<Crew>(loop, concurrency, queue_limit)) {}

Lane::~Lane() = default;

bool Lane::submit(Job& job) { return crew_->take(job); }

}  // namespace posthorn
