#include "protocols/imap/threading.h"

#include "protocols/imap/link_forest.h"
#include "tests/unit/protocols/imap/slow_threading.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace posthorn::imap {
namespace {

using Algorithm = Thread::Algorithm;
using Messages = std::vector<message::ThreadLinks>;

Task<void> print_threads(const Messages& messages, Algorithm algorithm, std::string& out) {
  Threadables threadables;
  std::uint32_t number = 0;
  for (const message::ThreadLinks& links : messages) {
    ++number;
    threadables.add(number, links.sent.value_or(0), links);
  }
  Slice slice;
  const Threads threads = co_await thread_messages(threadables, algorithm, slice);
  ThreadPrinter printer(threads);
  while (printer.append_more(out)) {
  }
}

std::string threaded(const Messages& messages, Algorithm algorithm) {
  std::string out;
  TaskGroup group;
  group.start(print_threads(messages, algorithm, out));
  return out;
}

// Message `id` at that time, an answer to the last of `ancestors`; 0 is no id, no subject.
message::ThreadLinks at(std::int64_t sent, std::uint64_t id, std::vector<std::uint64_t> ancestors = {},
                        std::uint64_t subject = 0, bool is_reply = false) {
  message::ThreadLinks links;
  if (id != 0) links.message_id = id;
  links.ancestors = std::move(ancestors);
  links.subject = subject;
  links.is_reply_or_forward = is_reply;
  links.sent = sent;
  return links;
}

}  // namespace

TEST_CASE("imap: a THREAD response, and how threads nest in it (RFC 5256 §4)") {
  const auto printed = [](std::initializer_list<Threads::Node> nodes) {
    Threads threads{nodes, nodes.size() == 0 ? Threads::none : 0};
    ThreadPrinter printer(threads);
    std::string out;
    while (printer.append_more(out)) {
    }
    return out;
  };
  constexpr std::uint32_t none = Threads::none;
  CHECK(printed({}) == "");
  CHECK(printed({{2, none, 1},
                 {3, 2, none},
                 {6, 3, none},
                 {4, 4, 5},
                 {23, none, none},
                 {44, 6, none},
                 {7, 7, none},
                 {96, none, none}}) == "(2)(3 6 (4 23)(44 7 96))");
  CHECK(printed({{0, 1, none}, {3, none, 2}, {5, none, none}}) == "((3)(5))");
}

TEST_CASE("imap: THREAD=ORDEREDSUBJECT (RFC 5256 §3)") {
  CHECK(threaded({}, Algorithm::ordered_subject) == "");
  // A thread's first message is its parent, all others are its children, by the date sent.
  CHECK(threaded({at(5, 0, {}, 1), at(3, 0, {}, 2), at(4, 0, {}, 1), at(9, 0, {}, 1), at(1, 0, {}, 3)},
                 Algorithm::ordered_subject) == "(5)(2)(3 (1)(4))");
  CHECK(threaded({at(1, 0, {}, 1), at(2, 0, {}, 1)}, Algorithm::ordered_subject) == "(1 2)");
  // At the same time, as in the mailbox.
  CHECK(threaded({at(1, 0, {}, 2), at(1, 0, {}, 1), at(1, 0, {}, 1), at(1, 0, {}, 1)},
                 Algorithm::ordered_subject) == "(1)(2 (3)(4))");
}

TEST_CASE("imap: THREAD=REFERENCES links ancestors (RFC 5256 §3, steps 1 to 3)") {
  struct Case {
    Messages messages;
    std::string_view threads;
  };
  for (const auto& [messages, threads] : std::initializer_list<Case>{
           {{}, ""},
           {{at(1, 11), at(2, 12, {11}), at(3, 13, {11, 12})}, "(1 2 3)"},
           {{at(1, 11), at(3, 12, {11}), at(2, 13, {11})}, "(1 (3)(2))"},
           // The parent comes later, in the mailbox and by its date.
           {{at(1, 12, {11}), at(2, 11)}, "(2 1)"},
           // A parent that is not there, of one child and of two.
           {{at(1, 12, {11})}, "(1)"},
           {{at(1, 12, {11}), at(2, 13, {11})}, "((1)(2))"},
           // One in the middle goes, and its children rise.
           {{at(1, 11), at(2, 13, {11, 12}), at(3, 14, {11, 12})}, "(1 (2)(3))"},
           // Two in a row at the top.
           {{at(1, 13, {11, 12}), at(2, 14, {11, 12})}, "((1)(2))"},
           // The same Message-ID twice: the second one is another.
           {{at(1, 11), at(2, 11), at(3, 12, {11})}, "(1 3)(2)"},
           // Without any.
           {{at(1, 0), at(2, 0, {}), at(3, 12, {0x5})}, "(1)(2)(3)"},
           // A loop is not made; the first link stays.
           {{at(1, 11, {12}), at(2, 12, {11})}, "(2 1)"},
           {{at(1, 11, {11})}, "(1)"},
           // What a message itself says of its parent goes before what others say.
           {{at(1, 11), at(2, 12), at(3, 13, {12}), at(4, 14, {11, 13})}, "(1)(2 3 4)"},
           {{at(1, 11), at(2, 12), at(4, 14, {11, 13}), at(3, 13)}, "(1)(2)(4 3)"},
       }) {
    CAPTURE(threads);
    CHECK(threaded(messages, Algorithm::references) == threads);
  }
}

TEST_CASE("imap: THREAD=REFERENCES merges subjects (RFC 5256 §3, step 5)") {
  struct Case {
    Messages messages;
    std::string_view threads;
    std::string_view refs;
  };
  for (const auto& [messages, threads, refs] : std::initializer_list<Case>{
           // A reply below what is none; two that are alike below nothing.
           {{at(1, 0, {}, 1), at(2, 0, {}, 1, true)}, "(1 2)", "(1)(2)"},
           {{at(1, 0, {}, 1, true), at(2, 0, {}, 1)}, "(2 1)", "(1)(2)"},
           {{at(1, 0, {}, 1), at(2, 0, {}, 1)}, "((1)(2))", "(1)(2)"},
           {{at(1, 0, {}, 1, true), at(2, 0, {}, 1, true)}, "((1)(2))", "(1)(2)"},
           // Without a subject nothing is merged.
           {{at(1, 0), at(2, 0, {}, 0, true)}, "(1)(2)", "(1)(2)"},
           // A dummy takes what has its first child's subject, and other dummies' children.
           {{at(1, 12, {11}, 1), at(2, 13, {11}, 2), at(3, 0, {}, 1)}, "((1)(2)(3))", "((1)(2))(3)"},
           {{at(1, 12, {11}, 1), at(2, 13, {11}), at(3, 15, {14}, 1), at(4, 16, {14})},
            "((1)(2)(3)(4))",
            "((1)(2))((3)(4))"},
       }) {
    CAPTURE(threads);
    CHECK(threaded(messages, Algorithm::references) == threads);
    CHECK(threaded(messages, Algorithm::refs) == refs);
  }
}

TEST_CASE("imap: THREAD=REFS orders threads by their newest message (draft-ietf-morg-inthread)") {
  CHECK(threaded({at(1, 11), at(2, 12), at(9, 13, {11})}, Algorithm::refs) == "(2)(1 3)");
  CHECK(threaded({at(1, 11), at(2, 12), at(9, 13, {11})}, Algorithm::references) == "(1 3)(2)");
}

TEST_CASE("imap: THREAD agrees with the RFC's steps taken one by one, whatever the messages") {
  std::mt19937 random(5256);
  const auto below = [&](std::uint32_t bound) { return random() % bound; };
  for (int round = 0; round < 3'000; ++round) {
    const std::uint32_t ids = 2 + below(9);
    Messages messages(1 + below(12));
    for (message::ThreadLinks& links : messages) {
      if (below(5) > 0) links.message_id = 1 + below(ids);
      for (std::uint32_t left = below(4); left > 0; --left) links.ancestors.push_back(1 + below(ids));
      links.subject = below(4);
      links.is_reply_or_forward = below(2) == 0;
      links.sent = below(6);
    }
    for (const Algorithm algorithm : {Algorithm::references, Algorithm::refs, Algorithm::ordered_subject}) {
      CAPTURE(round);
      CHECK(threaded(messages, algorithm) == slowly_threaded(messages, algorithm));
    }
  }
}

TEST_CASE("imap: chains of replies may be 100,000 deep, in any order") {
  constexpr std::uint32_t size = 100'000;
  Messages down;
  Messages up;
  Messages mixed;
  for (std::uint32_t i = 1; i <= size; ++i) {
    down.push_back(at(i, i, i > 1 ? std::vector<std::uint64_t>{i - 1} : std::vector<std::uint64_t>{}));
    up.push_back(at(i, i, i < size ? std::vector<std::uint64_t>{i + 1} : std::vector<std::uint64_t>{}));
    mixed.push_back(at(i, i * std::uint64_t{7'919} % 100'003, {(i + 1) * std::uint64_t{7'919} % 100'003, i}));
  }
  CHECK(threaded(down, Algorithm::references).starts_with("(1 2 3 4 "));
  CHECK(threaded(up, Algorithm::references).starts_with("(100000 99999 "));
  CHECK(threaded(mixed, Algorithm::references).size() > size);
}

TEST_CASE("imap: links that would close a loop are refused, after any cuts") {
  std::mt19937 random(1);
  LinkForest forest;
  constexpr std::uint32_t size = 40;
  for (std::uint32_t i = 0; i < size; ++i) forest.add();
  for (int round = 0; round < 20'000; ++round) {
    const auto node = static_cast<std::uint32_t>(random() % size);
    const auto parent = static_cast<std::uint32_t>(random() % size);
    if (forest.parent(node) != LinkForest::none) {
      forest.cut(node);
      CHECK(forest.parent(node) == LinkForest::none);
      if (random() % 2 == 0) continue;
    }
    bool is_below = false;
    for (std::uint32_t above = parent; above != LinkForest::none; above = forest.parent(above)) {
      is_below = is_below || above == node;
    }
    CHECK(forest.link(node, parent) == !is_below);
    CHECK(forest.parent(node) == (is_below ? LinkForest::none : parent));
  }
}

}  // namespace posthorn::imap
