#pragma once

#include <cstdint>
#include <vector>

namespace posthorn::imap {

// Trees whose nodes are linked and cut one by one, and asked for their roots: a link-cut tree (Sleator and
// Tarjan 1983), as chains of 100,000 replies that arrive in any order must not take quadratic time. All in
// amortised log n, and none recursive.
class LinkForest {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  // A tree of one.
  std::uint32_t add();
  std::uint32_t size() const { return static_cast<std::uint32_t>(parents_.size()); }

  // `none` for a root.
  std::uint32_t parent(std::uint32_t node) const { return parents_[node]; }
  // Takes `node` with what is below it away from its parent, if it has one.
  void cut(std::uint32_t node);
  // Hangs `node`, which is a root, below `parent`; false, and nothing done, where it is above that, or that
  // itself.
  bool link(std::uint32_t node, std::uint32_t parent);

 private:
  // A node of a splay tree that holds one path of a tree by depth; the topmost knows where its path hangs.
  struct Splay {
    std::uint32_t up = none;
    std::uint32_t shallower = none;
    std::uint32_t deeper = none;
  };

  bool is_topmost(std::uint32_t node) const;
  void rotate(std::uint32_t node);
  void splay(std::uint32_t node);
  void access(std::uint32_t node);
  std::uint32_t root_of(std::uint32_t node);

  std::vector<std::uint32_t> parents_;
  std::vector<Splay> splays_;
};

}  // namespace posthorn::imap
