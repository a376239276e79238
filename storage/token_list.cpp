#include "storage/token_list.h"

#include <cassert>
#include <memory>

namespace posthorn::storage {
namespace {

using Emit = int (*)(void*, int, const char*, int, int, int);

int create(void* context, const char** /*arguments*/, int /*count*/, Fts5Tokenizer** made) {
  // It has no state; what is handed over is not looked into.
  *made = static_cast<Fts5Tokenizer*>(context);
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer* /*tokenizer*/) {}

int tokenize(Fts5Tokenizer* /*tokenizer*/, void* context, int flags, const char* text, int size, Emit emit) {
  if ((flags & FTS5_TOKENIZE_QUERY) != 0) return emit(context, 0, text, size, 0, size);
  const char* const end = text + size;
  while (text < end) {
    const int length = static_cast<unsigned char>(*text++);
    if (length > end - text) return SQLITE_CORRUPT;
    const int code = emit(context, 0, text, length, 0, 0);
    if (code != SQLITE_OK) return code;
    text += length;
  }
  return SQLITE_OK;
}

}  // namespace

Result<> register_token_list(Database& database) {
  static char instance = 0;
  static fts5_tokenizer tokenizer{create, destroy, tokenize};
  fts5_api* api = nullptr;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database.raw(), "SELECT fts5(?1)", -1, &raw, nullptr) != SQLITE_OK) {
    return sqlite_failure(database.raw(), "fts5");
  }
  const std::unique_ptr<sqlite3_stmt, FreeWith<sqlite3_finalize>> statement(raw);
  sqlite3_bind_pointer(raw, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(raw);
  if (api == nullptr) return failure(Errc::io, "SQLite has no FTS5");
  if (api->xCreateTokenizer(api, "token_list", &instance, &tokenizer, nullptr) != SQLITE_OK) {
    return sqlite_failure(database.raw(), "token_list");
  }
  return {};
}

void append_token(std::string_view token, std::string& list) {
  assert(token.size() <= 255 && !token.contains('\0'));
  list += static_cast<char>(token.size());
  list += token;
}

void append_phrase(std::string_view token, std::string& query) {
  query += '"';
  for (const char each : token) {
    if (each == '"') query += '"';
    query += each;
  }
  query += '"';
}

}  // namespace posthorn::storage
