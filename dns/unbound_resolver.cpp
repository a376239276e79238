#include "dns/unbound_resolver.h"

#include <optional>
#include <string_view>
#include <unbound.h>
#include <utility>

namespace posthorn::dns {
namespace {

constexpr int internet = 1;  // the class (RFC 1035 §3.2.4)
constexpr int no_error = 0;
constexpr int no_such_name = 3;
// RFC 1035 §2.3.4, in text.
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

bool is_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > longest_name) return false;
  while (true) {
    const std::string_view label = text.substr(0, text.find('.'));
    if (label.empty() || label.size() > longest_label) return false;
    if (label.size() == text.size()) return true;
    text.remove_prefix(label.size() + 1);
  }
}

Result<Answer> answer_of(int code, const ub_result& result) {
  if (code != 0) return failure(Errc::unavailable, std::string("DNS: ") + ub_strerror(code));
  if (result.bogus != 0) {
    return failure(Errc::unavailable, std::string("DNS: bogus: ") +
                                          (result.why_bogus != nullptr ? result.why_bogus : "not validated"));
  }
  if (result.rcode != no_error && result.rcode != no_such_name) {
    return failure(Errc::unavailable, "DNS: the answer has code " + std::to_string(result.rcode));
  }
  Result<Answer> answer(std::in_place);
  answer->exists = result.nxdomain == 0;
  answer->secure = result.secure != 0;
  answer->lifetime = std::chrono::seconds(result.ttl);
  answer->name = result.canonname != nullptr ? result.canonname : result.qname;
  if (answer->name.ends_with('.')) answer->name.pop_back();
  for (std::size_t i = 0; result.havedata != 0 && result.data[i] != nullptr; ++i) {
    answer->records.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
  }
  return answer;
}

}  // namespace

// In the frame of the coroutine that asked.
struct UnboundResolver::Question {
  explicit Question(UnboundResolver& asked) : resolver(asked) {}
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  static void answered(void* asked, int code, ub_result* result) {
    auto& question = *static_cast<Question*>(asked);
    question.resolver.end(question, answer_of(code, *result));
    ub_resolve_free(result);
  }

  UnboundResolver& resolver;
  int id = 0;
  std::optional<Result<Answer>> answer;
  Signal over;
};

void UnboundResolver::FreeContext::operator()(ub_ctx* context) const { ub_ctx_delete(context); }

UnboundResolver::UnboundResolver(Loop& loop, ResolverSettings settings)
    : loop_(loop), settings_(std::move(settings)), context_(ub_ctx_create()) {}

UnboundResolver::~UnboundResolver() = default;

Result<std::unique_ptr<UnboundResolver>> UnboundResolver::make(Loop& loop, ResolverSettings settings) {
  std::unique_ptr<UnboundResolver> resolver(new UnboundResolver(loop, std::move(settings)));
  if (!resolver->context_) return failure(Errc::io, "libunbound: no memory");
  TRY(resolver->set_up());
  TRY(resolver->watch());
  return resolver;
}

Result<> UnboundResolver::check(int code, const std::string& what) const {
  if (code == 0) return {};
  return malformed(what + ": " + ub_strerror(code));
}

Result<> UnboundResolver::set_up() {
  ub_ctx* context = context_.get();
  // What it has to say comes with answers.
  ub_ctx_debugout(context, nullptr);
  // A thread, as a second process would hold what this one has open.
  TRY(check(ub_ctx_async(context, 1), "libunbound"));
  // A server on this machine is as good as another one.
  TRY(check(ub_ctx_set_option(context, "do-not-query-localhost:", "no"), "libunbound"));
  // The servers that are asked know the names of private networks, or say that there are none.
  TRY(check(ub_ctx_set_option(context, "unblock-lan-zones:", "yes"), "libunbound"));
  TRY(check(ub_ctx_set_option(context, "insecure-lan-zones:", "yes"), "libunbound"));
  if (settings_.servers.empty()) {
    TRY(check(ub_ctx_resolvconf(context, nullptr), "/etc/resolv.conf"));
    TRY(check(ub_ctx_hosts(context, nullptr), "/etc/hosts"));
  }
  for (const std::string& server : settings_.servers) {
    TRY(check(ub_ctx_set_fwd(context, server.c_str()), "name server " + server));
  }
  for (const std::string& file : settings_.trust_anchor_files) {
    TRY(check(ub_ctx_add_ta_file(context, file.c_str()), "trust anchors in " + file));
  }
  // The first call after the settings is what reads the files.
  std::string all = "the DNS servers and trust anchors";
  for (const std::string& file : settings_.trust_anchor_files) all += " " + file;
  TRY(check(ub_ctx_data_remove(context, "posthorn.invalid."), all));
  // Answered by libunbound itself otherwise (RFC 6761 §6.2 leaves it to whoever runs a test network).
  return check(ub_ctx_zone_remove(context, "test."), "libunbound");
}

Result<> UnboundResolver::watch() {
  answers_.reset(new uv_poll_t);
  const int code = uv_poll_init(loop_.raw(), answers_.get(), ub_fd(context_.get()));
  if (code != 0) {
    delete answers_.release();
    return failure(Errc::io, std::string("libunbound's pipe: ") + uv_strerror(code));
  }
  answers_->data = this;
  uv_poll_start(answers_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    // Calls Question::answered().
    ub_process(static_cast<UnboundResolver*>(handle->data)->context_.get());
  });
  // Whoever asks holds the loop by a timer.
  uv_unref(reinterpret_cast<uv_handle_t*>(answers_.get()));
  return {};
}

Task<Result<Answer>> UnboundResolver::look_up(std::string name, Type type) {
  if (!is_name(name)) co_return malformed("DNS: no name");
  if (closed_) co_return failure(Errc::unavailable, "DNS: the server ends");
  if (open_.size() >= settings_.at_once) co_return failure(Errc::busy, "DNS: too many questions are open");
  Question question(*this);
  const int code = ub_resolve_async(context_.get(), name.c_str(), static_cast<int>(type), internet, &question,
                                    &Question::answered, &question.id);
  if (code != 0) co_return failure(Errc::unavailable, std::string("DNS: ") + ub_strerror(code));
  open_.insert(&question);
  Timer deadline(loop_, [&] {
    if (question.answer) return;
    ub_cancel(context_.get(), question.id);
    end(question, failure(Errc::unavailable, "DNS: no answer in time"));
  });
  deadline.start(settings_.timeout);
  co_await question.over;
  co_return *std::move(question.answer);
}

// Whoever waits goes on later: this may be called by libunbound, which must not be called from within.
void UnboundResolver::end(Question& question, Result<Answer> answer) {
  question.answer = std::move(answer);
  open_.erase(&question);
  loop_.soon([&question] { question.over.notify(); });
}

void UnboundResolver::close() {
  closed_ = true;
  while (!open_.empty()) {
    Question& question = **open_.begin();
    ub_cancel(context_.get(), question.id);
    end(question, failure(Errc::unavailable, "DNS: the server ends"));
  }
  answers_.reset();
}

}  // namespace posthorn::dns
