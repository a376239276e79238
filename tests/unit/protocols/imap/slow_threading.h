#pragma once

#include "message/thread_links.h"
#include "protocols/imap/command.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

// THREAD as RFC 5256 §3 tells it, step by step and as slow as it may be: what the quick one is compared with.
namespace posthorn::imap {

class SlowThreading {
 public:
  std::string run(const std::vector<message::ThreadLinks>& messages, Thread::Algorithm algorithm) {
    messages_ = &messages;
    if (algorithm == Thread::Algorithm::ordered_subject) {
      by_subject();
    } else {
      link();
      root_.message = -1;
      for (const auto& node : nodes_) {
        if (node->parent == nullptr) root_.children.push_back(node.get());
      }
      prune(root_, true);
      for (Node* child : root_.children) sort(*child);
      std::ranges::sort(root_.children, before);
      if (algorithm == Thread::Algorithm::references) merge();
      sort(root_);
      if (algorithm == Thread::Algorithm::refs) {
        std::ranges::sort(root_.children, {}, [](const Node* node) {
          return std::tuple(newest(*node), std::get<1>(key(*node)));
        });
      }
    }
    std::string out;
    for (const Node* child : root_.children) print(*child, out);
    return out;
  }

 private:
  struct Node {
    int message = -1;  // none: a dummy
    const message::ThreadLinks* links = nullptr;
    Node* parent = nullptr;
    std::vector<Node*> children;
  };

  Node* make(int message) {
    nodes_.push_back(std::make_unique<Node>());
    nodes_.back()->message = message;
    if (message >= 0) nodes_.back()->links = &(*messages_)[static_cast<std::size_t>(message)];
    return nodes_.back().get();
  }

  static std::tuple<std::int64_t, int> key(const Node& node) {
    const Node& message = node.links == nullptr ? *node.children.front() : node;
    return {*message.links->sent, message.message};
  }
  static bool before(const Node* a, const Node* b) { return key(*a) < key(*b); }
  static std::int64_t newest(const Node& node) {
    std::int64_t date = node.links == nullptr ? INT64_MIN : *node.links->sent;
    for (const Node* child : node.children) date = std::max(date, newest(*child));
    return date;
  }
  static void sort(Node& node) {
    for (Node* child : node.children) sort(*child);
    std::ranges::sort(node.children, before);
  }

  void by_subject() {
    std::map<std::uint64_t, std::vector<Node*>> subjects;
    for (std::size_t i = 0; i < messages_->size(); ++i) {
      Node* node = make(static_cast<int>(i));
      subjects[node->links->subject].push_back(node);
    }
    for (auto& [subject, nodes] : subjects) {
      std::ranges::sort(nodes, before);
      nodes.front()->children.assign(nodes.begin() + 1, nodes.end());
      root_.children.push_back(nodes.front());
    }
    std::ranges::sort(root_.children, before);
  }

  static bool is_in(const Node* node, const Node* above) {
    for (; node != nullptr; node = node->parent) {
      if (node == above) return true;
    }
    return false;
  }
  static void hang(Node* child, Node* parent) {
    if (is_in(parent, child)) return;
    child->parent = parent;
    parent->children.push_back(child);
  }

  void link() {
    std::map<std::uint64_t, Node*> ids;
    std::vector<Node*> nodes;
    for (std::size_t i = 0; i < messages_->size(); ++i) {
      nodes.push_back(make(static_cast<int>(i)));
      if (nodes.back()->links->message_id) ids.emplace(*nodes.back()->links->message_id, nodes.back());
    }
    for (Node* node : nodes) {
      Node* parent = nullptr;
      for (const std::uint64_t id : node->links->ancestors) {
        if (!ids.contains(id)) ids[id] = make(-1);
        Node* reference = ids[id];
        if (parent != nullptr && reference->parent == nullptr) hang(reference, parent);
        parent = reference;
      }
      if (node->parent != nullptr) std::erase(node->parent->children, node);
      node->parent = nullptr;
      if (parent != nullptr) hang(node, parent);
    }
  }

  static void prune(Node& node, bool is_root) {
    std::vector<Node*> kept;
    for (Node* child : node.children) {
      prune(*child, false);
      const bool is_dummy = child->links == nullptr;
      const bool is_promoted = is_dummy && (!is_root || child->children.size() < 2);
      if (is_promoted) {
        kept.insert(kept.end(), child->children.begin(), child->children.end());
      } else {
        kept.push_back(child);
      }
    }
    node.children = kept;
    for (Node* child : kept) child->parent = &node;
  }

  static const message::ThreadLinks& thread_links(const Node& node) {
    return node.links == nullptr ? *node.children.front()->links : *node.links;
  }

  void merge() {
    std::map<std::uint64_t, Node*> table;
    const std::vector<Node*> top = root_.children;
    std::map<const Node*, std::uint64_t> subjects;
    for (Node* node : top) {
      const std::uint64_t subject = thread_links(*node).subject;
      subjects[node] = subject;
      if (subject == 0) continue;
      Node*& of_subject = table[subject];
      const bool replaces = of_subject == nullptr ||
                            (of_subject->links != nullptr &&
                             (node->links == nullptr ||
                              (of_subject->links->is_reply_or_forward && !node->links->is_reply_or_forward)));
      if (replaces) of_subject = node;
    }
    const auto leave_root = [&](Node* node) { std::erase(root_.children, node); };
    for (Node* node : top) {
      const bool is_at_top = std::ranges::find(root_.children, node) != root_.children.end();
      if (subjects[node] == 0 || !is_at_top) continue;
      Node*& of_subject = table[subjects[node]];
      if (of_subject == node) continue;
      leave_root(node);
      if (node->links == nullptr) {
        of_subject->children.insert(of_subject->children.end(), node->children.begin(), node->children.end());
      } else if (of_subject->links == nullptr ||
                 (node->links->is_reply_or_forward && !of_subject->links->is_reply_or_forward)) {
        of_subject->children.push_back(node);
      } else {
        Node* dummy = make(-1);
        leave_root(of_subject);
        dummy->children = {node, of_subject};
        root_.children.push_back(dummy);
        of_subject = dummy;
      }
    }
  }

  static void print(const Node& node, std::string& out) {
    out += '(';
    const Node* at = &node;
    while (true) {
      if (at->links != nullptr) out += std::to_string(at->message + 1);
      if (at->children.size() != 1) break;
      if (at->links != nullptr) out += ' ';
      at = at->children.front();
    }
    if (!at->children.empty() && at->links != nullptr) out += ' ';
    for (const Node* child : at->children) print(*child, out);
    out += ')';
  }

  const std::vector<message::ThreadLinks>* messages_ = nullptr;
  std::vector<std::unique_ptr<Node>> nodes_;
  Node root_;
};

inline std::string slowly_threaded(const std::vector<message::ThreadLinks>& messages,
                                   Thread::Algorithm algorithm) {
  return SlowThreading().run(messages, algorithm);
}

}  // namespace posthorn::imap
