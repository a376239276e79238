#include "storage/text_scan.h"

namespace posthorn::storage {

class TextScan::Visitor final : public TextVisitor {
 public:
  Visitor(const Group& header, const Group& body, const Group& anywhere)
      : header_(header.texts), body_(body.texts), anywhere_(anywhere.texts) {}

  void text(Place place, std::string_view folded) override {
    if (place == Place::fields) header_.feed(folded);
    if (place == Place::body) body_.feed(folded);
    if (place != Place::fields) anywhere_.feed(folded);
  }
  void end(Place place) override {
    if (place == Place::fields) header_.next_range();
    if (place == Place::body) body_.next_range();
    if (place != Place::fields) anywhere_.next_range();
  }
  // The fields come first, all of them.
  bool satisfied() const override { return body_.found_all() && anywhere_.found_all(); }

  void tell(const Group& group, const message::TextSearch& search, std::vector<bool>& found) const {
    for (std::size_t i = 0; i < group.places.size(); ++i) found[group.places[i]] = search.found(i);
  }

  message::TextSearch header_;
  message::TextSearch body_;
  message::TextSearch anywhere_;
};

TextScan::TextScan(std::span<const TextPattern> patterns) : count_(patterns.size()) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Group& group = patterns[i].in == TextPattern::In::header ? header_
                   : patterns[i].in == TextPattern::In::body ? body_
                                                             : anywhere_;
    group.places.push_back(i);
    group.texts.push_back(patterns[i].folded);
  }
}

Result<std::optional<std::vector<bool>>> TextScan::look(const message::Summary& summary, StoredFile& file) {
  Visitor visitor(header_, body_, anywhere_);
  if (!TRY(reader_.visit(summary, file, visitor, {}))) return std::nullopt;
  std::vector<bool> found(count_);
  visitor.tell(header_, visitor.header_, found);
  visitor.tell(body_, visitor.body_, found);
  visitor.tell(anywhere_, visitor.anywhere_, found);
  return found;
}

}  // namespace posthorn::storage
