#include "protocols/imap/link_forest.h"

namespace posthorn::imap {

std::uint32_t LinkForest::add() {
  parents_.push_back(none);
  splays_.emplace_back();
  return size() - 1;
}

bool LinkForest::is_topmost(std::uint32_t node) const {
  const std::uint32_t up = splays_[node].up;
  return up == none || (splays_[up].shallower != node && splays_[up].deeper != node);
}

void LinkForest::rotate(std::uint32_t node) {
  const std::uint32_t up = splays_[node].up;
  const std::uint32_t above = splays_[up].up;
  const bool up_was_topmost = is_topmost(up);
  const bool is_shallower = splays_[up].shallower == node;
  std::uint32_t& moved = is_shallower ? splays_[node].deeper : splays_[node].shallower;
  (is_shallower ? splays_[up].shallower : splays_[up].deeper) = moved;
  if (moved != none) splays_[moved].up = up;
  moved = up;
  splays_[up].up = node;
  splays_[node].up = above;
  if (up_was_topmost) return;
  (splays_[above].shallower == up ? splays_[above].shallower : splays_[above].deeper) = node;
}

void LinkForest::splay(std::uint32_t node) {
  while (!is_topmost(node)) {
    const std::uint32_t up = splays_[node].up;
    if (!is_topmost(up)) {
      const std::uint32_t above = splays_[up].up;
      const bool same_side = (splays_[up].shallower == node) == (splays_[above].shallower == up);
      rotate(same_side ? up : node);
    }
    rotate(node);
  }
}

// Makes the path from the root to `node` one splay tree with `node` at its top.
void LinkForest::access(std::uint32_t node) {
  std::uint32_t below = none;
  for (std::uint32_t at = node; at != none; at = splays_[at].up) {
    splay(at);
    splays_[at].deeper = below;
    below = at;
  }
  splay(node);
}

std::uint32_t LinkForest::root_of(std::uint32_t node) {
  access(node);
  while (splays_[node].shallower != none) node = splays_[node].shallower;
  splay(node);
  return node;
}

void LinkForest::cut(std::uint32_t node) {
  if (parents_[node] == none) return;
  parents_[node] = none;
  access(node);
  const std::uint32_t path = splays_[node].shallower;
  splays_[node].shallower = none;
  splays_[path].up = none;
}

bool LinkForest::link(std::uint32_t node, std::uint32_t parent) {
  if (root_of(parent) == node) return false;
  access(node);
  splays_[node].up = parent;
  parents_[node] = parent;
  return true;
}

}  // namespace posthorn::imap
