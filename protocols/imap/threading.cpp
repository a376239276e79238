#include "protocols/imap/threading.h"

#include "protocols/imap/link_forest.h"
#include "protocols/imap/printer_parts.h"
#include "protocols/imap/sliced_sort.h"

#include <algorithm>
#include <tuple>

namespace posthorn::imap {
namespace {

constexpr std::uint32_t none = Threads::none;
constexpr std::uint32_t step = 64;  // between two looks at the time

// Makes threads of nodes: the messages, which have their own places as names, and dummies behind them.
class Threading {
 public:
  Threading(const Threadables& input, Slice& slice)
      : messages_(input.messages), ancestors_(input.ancestors), slice_(slice), size_(count(input)) {}
  Threading(const Threading&) = delete;
  Threading& operator=(const Threading&) = delete;

  Task<Threads> by_subject();
  Task<Threads> by_references(Thread::Algorithm algorithm);

 private:
  // A node among its siblings.
  struct Sibling {
    std::uint32_t parent;
    std::int64_t date;
    std::uint32_t order;  // where dates are the same
    std::uint32_t node;
    bool operator<(const Sibling& other) const {
      return std::tie(parent, date, order) < std::tie(other.parent, other.date, other.order);
    }
  };
  // The node of what is in the same group.
  struct BySubject {
    std::uint64_t subject;
    std::int64_t sent;
    std::uint32_t node;
    bool operator<(const BySubject& other) const {
      return std::tie(subject, sent, node) < std::tie(other.subject, other.sent, other.node);
    }
  };
  struct ById {
    std::uint64_t id;
    std::uint32_t use;  // a message, or, from size_ on, a place in ancestors_
    bool operator<(const ById& other) const { return std::tie(id, use) < std::tie(other.id, other.use); }
  };

  static std::uint32_t count(const Threadables& input) {
    return static_cast<std::uint32_t>(input.messages.size());
  }
  bool is_dummy(std::uint32_t node) const { return node >= size_; }
  // The message that speaks for a node at the top: its own, or the dummy's first child.
  std::uint32_t speaker(std::uint32_t node) const {
    return is_dummy(node) ? first_children_[node - size_] : node;
  }
  bool is_earlier(std::uint32_t message, std::uint32_t other) const {
    return std::tie(messages_[message].sent, message) < std::tie(messages_[other].sent, other);
  }

  Task<void> find_nodes();
  Task<void> link_all();
  Task<void> find_order();
  Task<void> prune();
  void put_below(std::uint32_t node, std::uint32_t parent);
  Task<void> merge_subjects();
  void merge(std::uint32_t current, std::uint32_t& of_subject);
  Task<void> find_newest();
  Task<Threads> arranged(bool newest_last);

  const std::vector<Threadables::Message>& messages_;
  const std::vector<std::uint64_t>& ancestors_;
  Slice& slice_;
  const std::uint32_t size_;

  std::vector<std::uint32_t> references_;  // the nodes of ancestors_
  LinkForest forest_;                      // step (1)
  std::vector<std::uint32_t> order_;       // its nodes, parents first

  // From step (3) on.
  std::vector<bool> there_;                    // by node
  std::vector<std::uint32_t> parents_;         // by node
  std::vector<std::uint32_t> first_children_;  // the earliest, by dummy
  std::vector<std::int64_t> newest_;           // by node: of what is below it, too
};

// All uses of the same id are one node: that of the first message that has it, or a dummy (step (1)(A)).
Task<void> Threading::find_nodes() {
  std::vector<ById> uses;
  uses.reserve(messages_.size() + ancestors_.size());
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (i % step == 0) co_await slice_;
    forest_.add();
    const Threadables::Message& message = messages_[i];
    if (message.id) uses.push_back({*message.id, i});
    for (std::uint32_t a = message.ancestors_begin; a < message.ancestors_end; ++a) {
      uses.push_back({ancestors_[a], size_ + a});
    }
  }
  co_await sort_in_slices(uses, std::less<>(), slice_);
  references_.resize(ancestors_.size());
  std::uint32_t node = none;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (i % step == 0) co_await slice_;
    const ById& use = uses[i];
    const bool is_new = i == 0 || uses[i - 1].id != use.id;
    if (is_new) node = use.use < size_ ? use.use : forest_.add();
    if (use.use >= size_) references_[use.use - size_] = node;
  }
}

Task<void> Threading::link_all() {
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (i % step == 0) co_await slice_;
    // (A)
    std::uint32_t parent = none;
    for (std::uint32_t a = messages_[i].ancestors_begin; a < messages_[i].ancestors_end; ++a) {
      const std::uint32_t node = references_[a];
      if (parent != none && forest_.parent(node) == none) forest_.link(node, parent);
      parent = node;
    }
    // (B)
    if (forest_.parent(i) == parent) continue;
    forest_.cut(i);
    if (parent != none) forest_.link(i, parent);
  }
}

Task<void> Threading::find_order() {
  std::vector<std::uint32_t> first(forest_.size(), none);
  std::vector<std::uint32_t> next(forest_.size(), none);
  order_.reserve(forest_.size());
  for (std::uint32_t node = 0; node < forest_.size(); ++node) {
    if (node % step == 0) co_await slice_;
    const std::uint32_t parent = forest_.parent(node);
    if (parent == none) {
      order_.push_back(node);
    } else {
      next[node] = first[parent];
      first[parent] = node;
    }
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (i % step == 0) co_await slice_;
    for (std::uint32_t child = first[order_[i]]; child != none; child = next[child]) order_.push_back(child);
  }
}

void Threading::put_below(std::uint32_t node, std::uint32_t parent) {
  parents_[node] = parent;
  if (!is_dummy(parent)) return;
  std::uint32_t& first = first_children_[parent - size_];
  if (first == none || is_earlier(node, first)) first = node;
}

// Steps (2) and (3): a dummy stays at the top alone, and only with two children or more.
Task<void> Threading::prune() {
  there_.assign(forest_.size(), true);
  parents_.assign(forest_.size(), none);
  first_children_.assign(forest_.size() - size_, none);
  std::vector<std::uint32_t> takes_children(forest_.size(), none);  // who has those of a node
  std::vector<std::uint32_t> children(first_children_.size(), 0);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (i % step == 0) co_await slice_;
    const std::uint32_t node = order_[i];
    const std::uint32_t above = forest_.parent(node);
    const std::uint32_t parent = above == none ? none : takes_children[above];
    takes_children[node] = is_dummy(node) && parent != none ? parent : node;
    if (is_dummy(node)) {
      there_[node] = parent == none;
    } else if (parent != none) {
      put_below(node, parent);
      if (is_dummy(parent)) ++children[parent - size_];
    }
  }
  for (std::uint32_t node = size_; node < forest_.size(); ++node) {
    if (node % step == 0) co_await slice_;
    const std::uint32_t count = children[node - size_];
    if (count == 1) parents_[first_children_[node - size_]] = none;
    if (count < 2) there_[node] = false;
  }
}

// Step (5).
Task<void> Threading::merge_subjects() {
  // (A), (B): those at the top in the order of step (4), each subject's together.
  std::vector<BySubject> top;
  for (std::uint32_t node = 0; node < parents_.size(); ++node) {
    if (node % step == 0) co_await slice_;
    if (!there_[node] || parents_[node] != none) continue;
    const Threadables::Message& message = messages_[speaker(node)];
    if (message.subject != 0) top.push_back({message.subject, message.sent, node});
  }
  const auto before = [this](const BySubject& a, const BySubject& b) {
    const std::uint32_t speaker_a = speaker(a.node);
    const std::uint32_t speaker_b = speaker(b.node);
    return std::tie(a.subject, a.sent, speaker_a) < std::tie(b.subject, b.sent, speaker_b);
  };
  co_await sort_in_slices(top, before, slice_);
  for (std::size_t begin = 0, end = 0; begin < top.size(); begin = end) {
    std::uint32_t of_subject = top[begin].node;
    for (end = begin + 1; end < top.size() && top[end].subject == top[begin].subject; ++end) {
      if (end % step == 0) co_await slice_;
      const std::uint32_t node = top[end].node;
      if (is_dummy(of_subject)) continue;
      const bool is_less_of_a_reply = is_dummy(node) || (messages_[of_subject].is_reply_or_forward &&
                                                         !messages_[node].is_reply_or_forward);
      if (is_less_of_a_reply) of_subject = node;
    }
    // (C)
    for (std::size_t i = begin; i < end; ++i) {
      if (i % step == 0) co_await slice_;
      const std::uint32_t node = top[i].node;
      if (node != of_subject && parents_[node] == none) merge(node, of_subject);
    }
  }
}

void Threading::merge(std::uint32_t current, std::uint32_t& of_subject) {
  if (is_dummy(current)) {
    // Then the other is one as well. That it has these children too is settled when all is arranged.
    there_[current] = false;
    parents_[current] = of_subject;
    const std::uint32_t first = first_children_[current - size_];
    std::uint32_t& first_of_subject = first_children_[of_subject - size_];
    if (is_earlier(first, first_of_subject)) first_of_subject = first;
    return;
  }
  const bool is_its_child = is_dummy(of_subject) || (messages_[current].is_reply_or_forward &&
                                                     !messages_[of_subject].is_reply_or_forward);
  if (is_its_child) {
    put_below(current, of_subject);
    return;
  }
  const auto dummy = static_cast<std::uint32_t>(parents_.size());
  parents_.push_back(none);
  there_.push_back(true);
  first_children_.push_back(none);
  put_below(current, dummy);
  put_below(of_subject, dummy);
  of_subject = dummy;
}

Task<void> Threading::find_newest() {
  newest_.assign(parents_.size(), INT64_MIN);
  for (std::size_t i = order_.size(); i > 0; --i) {
    if (i % step == 0) co_await slice_;
    const std::uint32_t node = order_[i - 1];
    if (!is_dummy(node)) newest_[node] = std::max(newest_[node], messages_[node].arrived);
    if (parents_[node] == none) continue;
    std::int64_t& above = newest_[parents_[node]];
    above = std::max(above, newest_[node]);
  }
}

// Steps (4) and (6), which put siblings in their order.
Task<Threads> Threading::arranged(bool newest_last) {
  std::vector<Sibling> siblings;
  siblings.reserve(parents_.size());
  Threads threads;
  threads.nodes.resize(parents_.size());
  for (std::uint32_t node = 0; node < parents_.size(); ++node) {
    if (node % step == 0) co_await slice_;
    if (!is_dummy(node)) threads.nodes[node].number = messages_[node].number;
    if (!there_[node]) continue;
    std::uint32_t parent = parents_[node];
    if (parent != none && !there_[parent]) parent = parents_[parent];
    const std::uint32_t message = speaker(node);
    const std::int64_t date = newest_last && parent == none ? newest_[node] : messages_[message].sent;
    siblings.push_back({parent, date, message, node});
  }
  co_await sort_in_slices(siblings, std::less<>(), slice_);
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    if (i % step == 0) co_await slice_;
    const auto& [parent, date, order, node] = siblings[i];
    const bool is_first = i == 0 || siblings[i - 1].parent != parent;
    if (!is_first) {
      threads.nodes[siblings[i - 1].node].next = node;
    } else if (parent == none) {
      threads.first = node;
    } else {
      threads.nodes[parent].first_child = node;
    }
  }
  co_return threads;
}

Task<Threads> Threading::by_references(Thread::Algorithm algorithm) {
  co_await find_nodes();
  co_await link_all();
  co_await find_order();
  co_await prune();
  const bool newest_last = algorithm == Thread::Algorithm::refs;
  if (newest_last) {
    co_await find_newest();
  } else {
    co_await merge_subjects();
  }
  co_return co_await arranged(newest_last);
}

Task<Threads> Threading::by_subject() {
  there_.assign(size_, true);
  parents_.assign(size_, none);
  std::vector<BySubject> sorted;
  sorted.reserve(size_);
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (i % step == 0) co_await slice_;
    sorted.push_back({messages_[i].subject, messages_[i].sent, i});
  }
  co_await sort_in_slices(sorted, std::less<>(), slice_);
  std::uint32_t first = none;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i % step == 0) co_await slice_;
    const bool is_first = i == 0 || sorted[i - 1].subject != sorted[i].subject;
    if (is_first) {
      first = sorted[i].node;
    } else {
      parents_[sorted[i].node] = first;
    }
  }
  co_return co_await arranged(false);
}

}  // namespace

void Threadables::add(std::uint32_t number, std::int64_t arrived, const message::ThreadLinks& links) {
  const auto begin = static_cast<std::uint32_t>(ancestors.size());
  ancestors.insert(ancestors.end(), links.ancestors.begin(), links.ancestors.end());
  messages.push_back({.number = number,
                      .is_reply_or_forward = links.is_reply_or_forward,
                      .sent = links.sent.value_or(arrived),
                      .arrived = arrived,
                      .subject = links.subject,
                      .id = links.message_id,
                      .ancestors_begin = begin,
                      .ancestors_end = static_cast<std::uint32_t>(ancestors.size())});
}

Task<Threads> thread_messages(const Threadables& messages, Thread::Algorithm algorithm, Slice& slice) {
  Threading threading(messages, slice);
  if (algorithm == Thread::Algorithm::ordered_subject) co_return co_await threading.by_subject();
  co_return co_await threading.by_references(algorithm);
}

bool ThreadPrinter::append_more(std::string& out) {
  if (node_ != none) {
    append_node(out);
    return true;
  }
  if (thread_ == none) return false;
  out += '(';
  node_ = thread_;
  thread_ = threads_.nodes[thread_].next;
  return true;
}

void ThreadPrinter::append_node(std::string& out) {
  const Threads::Node& node = threads_.nodes[node_];
  if (node.number != 0) append_number(out, node.number);
  const std::uint32_t child = node.first_child;
  if (child != none) {
    if (node.number != 0) out += ' ';
    if (threads_.nodes[child].next != none) {
      out += '(';
      siblings_.push_back(threads_.nodes[child].next);
    }
    node_ = child;
    return;
  }
  out += ')';
  for (; !siblings_.empty() && siblings_.back() == none; siblings_.pop_back()) out += ')';
  node_ = none;
  if (siblings_.empty()) return;
  out += '(';
  node_ = siblings_.back();
  siblings_.back() = threads_.nodes[node_].next;
}

}  // namespace posthorn::imap
