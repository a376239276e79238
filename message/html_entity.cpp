#include "message/html_entity.h"

#include "message/charset.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace posthorn::message {
namespace {

// U+00A0 to U+00FF, in order.
constexpr auto latin_1 = std::to_array<std::string_view>(
    {"nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",
     "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",
     "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12",
     "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil",
     "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde",
     "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",
     "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",
     "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",
     "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
     "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"});

struct Entity {
  std::string_view name;
  std::uint16_t character;
};

// Sorted by name, as ASCII has it.
constexpr auto others = std::to_array<Entity>({{"AMP", 0x26},
                                               {"Alpha", 0x391},
                                               {"Aogon", 0x104},
                                               {"Beta", 0x392},
                                               {"COPY", 0xa9},
                                               {"Cacute", 0x106},
                                               {"Ccaron", 0x10c},
                                               {"Chi", 0x3a7},
                                               {"Dagger", 0x2021},
                                               {"Dcaron", 0x10e},
                                               {"Delta", 0x394},
                                               {"Dstrok", 0x110},
                                               {"Ecaron", 0x11a},
                                               {"Eogon", 0x118},
                                               {"Epsilon", 0x395},
                                               {"Eta", 0x397},
                                               {"GT", 0x3e},
                                               {"Gamma", 0x393},
                                               {"Gbreve", 0x11e},
                                               {"Idot", 0x130},
                                               {"Iota", 0x399},
                                               {"Kappa", 0x39a},
                                               {"LT", 0x3c},
                                               {"Lambda", 0x39b},
                                               {"Lstrok", 0x141},
                                               {"Mu", 0x39c},
                                               {"Nacute", 0x143},
                                               {"Ncaron", 0x147},
                                               {"NewLine", 0xa},
                                               {"Nu", 0x39d},
                                               {"OElig", 0x152},
                                               {"Odblac", 0x150},
                                               {"Omega", 0x3a9},
                                               {"Omicron", 0x39f},
                                               {"Phi", 0x3a6},
                                               {"Pi", 0x3a0},
                                               {"Prime", 0x2033},
                                               {"Psi", 0x3a8},
                                               {"QUOT", 0x22},
                                               {"REG", 0xae},
                                               {"Rcaron", 0x158},
                                               {"Rho", 0x3a1},
                                               {"Sacute", 0x15a},
                                               {"Scaron", 0x160},
                                               {"Scedil", 0x15e},
                                               {"Sigma", 0x3a3},
                                               {"Tab", 0x9},
                                               {"Tau", 0x3a4},
                                               {"Tcaron", 0x164},
                                               {"Theta", 0x398},
                                               {"Udblac", 0x170},
                                               {"Upsilon", 0x3a5},
                                               {"Uring", 0x16e},
                                               {"Xi", 0x39e},
                                               {"Yuml", 0x178},
                                               {"Zacute", 0x179},
                                               {"Zcaron", 0x17d},
                                               {"Zdot", 0x17b},
                                               {"ZeroWidthSpace", 0x200b},
                                               {"Zeta", 0x396},
                                               {"alefsym", 0x2135},
                                               {"alpha", 0x3b1},
                                               {"amp", 0x26},
                                               {"and", 0x2227},
                                               {"ang", 0x2220},
                                               {"aogon", 0x105},
                                               {"apos", 0x27},
                                               {"ast", 0x2a},
                                               {"asymp", 0x2248},
                                               {"bdquo", 0x201e},
                                               {"beta", 0x3b2},
                                               {"bigstar", 0x2605},
                                               {"bsol", 0x5c},
                                               {"bull", 0x2022},
                                               {"cacute", 0x107},
                                               {"cap", 0x2229},
                                               {"ccaron", 0x10d},
                                               {"check", 0x2713},
                                               {"chi", 0x3c7},
                                               {"circ", 0x2c6},
                                               {"clubs", 0x2663},
                                               {"colon", 0x3a},
                                               {"comma", 0x2c},
                                               {"commat", 0x40},
                                               {"cong", 0x2245},
                                               {"crarr", 0x21b5},
                                               {"cup", 0x222a},
                                               {"dArr", 0x21d3},
                                               {"dagger", 0x2020},
                                               {"darr", 0x2193},
                                               {"dcaron", 0x10f},
                                               {"delta", 0x3b4},
                                               {"diams", 0x2666},
                                               {"dollar", 0x24},
                                               {"dstrok", 0x111},
                                               {"ecaron", 0x11b},
                                               {"empty", 0x2205},
                                               {"emsp", 0x2003},
                                               {"ensp", 0x2002},
                                               {"eogon", 0x119},
                                               {"epsilon", 0x3b5},
                                               {"equals", 0x3d},
                                               {"equiv", 0x2261},
                                               {"eta", 0x3b7},
                                               {"euro", 0x20ac},
                                               {"excl", 0x21},
                                               {"exist", 0x2203},
                                               {"fnof", 0x192},
                                               {"forall", 0x2200},
                                               {"frasl", 0x2044},
                                               {"gamma", 0x3b3},
                                               {"gbreve", 0x11f},
                                               {"ge", 0x2265},
                                               {"grave", 0x60},
                                               {"gt", 0x3e},
                                               {"hArr", 0x21d4},
                                               {"hairsp", 0x200a},
                                               {"harr", 0x2194},
                                               {"hearts", 0x2665},
                                               {"hellip", 0x2026},
                                               {"hyphen", 0x2010},
                                               {"image", 0x2111},
                                               {"imath", 0x131},
                                               {"infin", 0x221e},
                                               {"int", 0x222b},
                                               {"iota", 0x3b9},
                                               {"isin", 0x2208},
                                               {"kappa", 0x3ba},
                                               {"lArr", 0x21d0},
                                               {"lambda", 0x3bb},
                                               {"lang", 0x27e8},
                                               {"larr", 0x2190},
                                               {"lbrace", 0x7b},
                                               {"lbrack", 0x5b},
                                               {"lceil", 0x2308},
                                               {"lcub", 0x7b},
                                               {"ldquo", 0x201c},
                                               {"le", 0x2264},
                                               {"lfloor", 0x230a},
                                               {"lowast", 0x2217},
                                               {"lowbar", 0x5f},
                                               {"loz", 0x25ca},
                                               {"lpar", 0x28},
                                               {"lrm", 0x200e},
                                               {"lsaquo", 0x2039},
                                               {"lsqb", 0x5b},
                                               {"lsquo", 0x2018},
                                               {"lstrok", 0x142},
                                               {"lt", 0x3c},
                                               {"mdash", 0x2014},
                                               {"minus", 0x2212},
                                               {"mu", 0x3bc},
                                               {"nabla", 0x2207},
                                               {"nacute", 0x144},
                                               {"ncaron", 0x148},
                                               {"ndash", 0x2013},
                                               {"ne", 0x2260},
                                               {"ni", 0x220b},
                                               {"notin", 0x2209},
                                               {"nsub", 0x2284},
                                               {"nu", 0x3bd},
                                               {"num", 0x23},
                                               {"numsp", 0x2007},
                                               {"odblac", 0x151},
                                               {"oelig", 0x153},
                                               {"oline", 0x203e},
                                               {"omega", 0x3c9},
                                               {"omicron", 0x3bf},
                                               {"oplus", 0x2295},
                                               {"or", 0x2228},
                                               {"otimes", 0x2297},
                                               {"part", 0x2202},
                                               {"percnt", 0x25},
                                               {"period", 0x2e},
                                               {"permil", 0x2030},
                                               {"perp", 0x22a5},
                                               {"phi", 0x3c6},
                                               {"phone", 0x260e},
                                               {"pi", 0x3c0},
                                               {"piv", 0x3d6},
                                               {"plus", 0x2b},
                                               {"prime", 0x2032},
                                               {"prod", 0x220f},
                                               {"prop", 0x221d},
                                               {"psi", 0x3c8},
                                               {"puncsp", 0x2008},
                                               {"quest", 0x3f},
                                               {"quot", 0x22},
                                               {"rArr", 0x21d2},
                                               {"radic", 0x221a},
                                               {"rang", 0x27e9},
                                               {"rarr", 0x2192},
                                               {"rbrace", 0x7d},
                                               {"rbrack", 0x5d},
                                               {"rcaron", 0x159},
                                               {"rceil", 0x2309},
                                               {"rcub", 0x7d},
                                               {"rdquo", 0x201d},
                                               {"real", 0x211c},
                                               {"rfloor", 0x230b},
                                               {"rho", 0x3c1},
                                               {"rlm", 0x200f},
                                               {"rpar", 0x29},
                                               {"rsaquo", 0x203a},
                                               {"rsqb", 0x5d},
                                               {"rsquo", 0x2019},
                                               {"sacute", 0x15b},
                                               {"sbquo", 0x201a},
                                               {"scaron", 0x161},
                                               {"scedil", 0x15f},
                                               {"sdot", 0x22c5},
                                               {"semi", 0x3b},
                                               {"sigma", 0x3c3},
                                               {"sigmaf", 0x3c2},
                                               {"sim", 0x223c},
                                               {"sol", 0x2f},
                                               {"spades", 0x2660},
                                               {"star", 0x2606},
                                               {"starf", 0x2605},
                                               {"sub", 0x2282},
                                               {"sube", 0x2286},
                                               {"sum", 0x2211},
                                               {"sup", 0x2283},
                                               {"supe", 0x2287},
                                               {"tau", 0x3c4},
                                               {"tcaron", 0x165},
                                               {"there4", 0x2234},
                                               {"theta", 0x3b8},
                                               {"thetasym", 0x3d1},
                                               {"thinsp", 0x2009},
                                               {"tilde", 0x2dc},
                                               {"trade", 0x2122},
                                               {"uArr", 0x21d1},
                                               {"uarr", 0x2191},
                                               {"udblac", 0x171},
                                               {"upsih", 0x3d2},
                                               {"upsilon", 0x3c5},
                                               {"uring", 0x16f},
                                               {"verbar", 0x7c},
                                               {"vert", 0x7c},
                                               {"weierp", 0x2118},
                                               {"xi", 0x3be},
                                               {"zacute", 0x17a},
                                               {"zcaron", 0x17e},
                                               {"zdot", 0x17c},
                                               {"zeta", 0x3b6},
                                               {"zwj", 0x200d},
                                               {"zwnj", 0x200c}});
static_assert(std::ranges::is_sorted(others, {}, &Entity::name));

std::string utf8_of(std::uint32_t character) {
  std::array<char, U8_MAX_LENGTH> octets{};
  std::size_t size = 0;
  U8_APPEND_UNSAFE(octets, size, character);
  return {octets.data(), size};
}

std::string numbered(std::string_view digits, int base) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const bool valid = error == std::errc() && number != 0 && number <= 0x10ffff && !U_IS_SURROGATE(number);
  if (!valid) return "\xef\xbf\xbd";
  if (number >= 0x80 && number < 0xa0) return guess_utf8(std::string(1, static_cast<char>(number)));
  return utf8_of(number);
}

}  // namespace

std::optional<std::string> decode_html_entity(std::string_view name) {
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    const bool hexadecimal = name.starts_with('x') || name.starts_with('X');
    if (hexadecimal) name.remove_prefix(1);
    const std::string_view digits = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
    if (name.empty() || name.find_first_not_of(digits) != std::string_view::npos) return std::nullopt;
    return numbered(name, hexadecimal ? 16 : 10);
  }
  if (const auto found = std::ranges::find(latin_1, name); found != latin_1.end()) {
    return utf8_of(static_cast<std::uint32_t>(0xa0 + (found - latin_1.begin())));
  }
  const auto found = std::ranges::lower_bound(others, name, {}, &Entity::name);
  if (found == others.end() || found->name != name) return std::nullopt;
  return utf8_of(found->character);
}

}  // namespace posthorn::message
