// The chunks in which a message comes change nothing; a client that reads by RFC 1939 §3 finds the end where
// it is, and finds the message. The first octet of the input is the chunk size, the second the lines of TOP.
#include "message/line_ends.h"
#include "protocols/pop3/dot_stuffing.h"
#include "protocols/pop3/top.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

std::string encode(std::string_view in, std::size_t chunk) {
  posthorn::pop3::DotEncoder encoder;
  std::string out;
  for (std::size_t at = 0; at < in.size(); at += chunk) encoder.feed(in.substr(at, chunk), out);
  encoder.finish(out);
  return out;
}

std::size_t cut(std::string_view in, std::uint32_t lines, std::size_t chunk) {
  posthorn::pop3::TopCutter cutter(lines);
  std::size_t taken = 0;
  for (std::size_t at = 0; at < in.size() && !cutter.complete(); at += chunk) {
    taken += cutter.feed(in.substr(at, chunk));
  }
  return taken;
}

// A client for which every LF ends a line.
std::string read_by_lf(std::string_view response) {
  std::string message;
  while (true) {
    const std::size_t lf = response.find('\n');
    if (lf == std::string_view::npos) std::abort();
    std::string_view line = response.substr(0, lf + 1);
    response.remove_prefix(lf + 1);
    if (line == ".\r\n" || line == ".\n") break;
    if (line.starts_with('.')) line.remove_prefix(1);
    message += line;
  }
  if (!response.empty()) std::abort();
  return message;
}

// The message with CR LF at the end of each of its lines.
std::string as_lines(std::string_view message) {
  std::string lines;
  for (const char octet : message) {
    if (octet == '\n' && !lines.ends_with('\r')) lines += '\r';
    lines += octet;
  }
  if (!lines.empty() && !lines.ends_with('\n')) lines += "\r\n";
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view in(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t chunk = data[0] % 32U + 1U;
  const std::string whole = encode(in, in.size() + 1);
  if (encode(in, chunk) != whole || encode(in, 1) != whole) std::abort();
  if (read_by_lf(whole) != as_lines(in)) std::abort();
  // As large as LIST says.
  posthorn::message::LineEndGain gain;
  gain.feed(in);
  if (as_lines(in).size() != in.size() + gain.octets()) std::abort();
  // A client that knows only CR LF finds the end where it is, too.
  if (whole != ".\r\n" && whole.find("\r\n.\r\n") != whole.size() - 5) std::abort();

  const std::size_t taken = cut(in, data[1], in.size() + 1);
  if (cut(in, data[1], chunk) != taken || cut(in, data[1], 1) != taken) std::abort();
  return 0;
}
