#include "storage/form.h"

#include "message/sort_keys.h"
#include "message/summary_codec.h"
#include "message/thread_links.h"

namespace posthorn::storage {
namespace {

FormStatements statements_for(const std::string& table, const std::string& unused) {
  return {
      .put = "INSERT OR REPLACE INTO " + table + " VALUES (?1, ?2)",
      .find = "SELECT octets FROM " + table + " WHERE key = ?1",
      .between = "SELECT key, octets FROM " + table + " WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
      .of_messages = "SELECT uid, octets FROM message LEFT JOIN " + table +
                     " ON key = coalesce(summary_key, ?1 << 31 | uid) "
                     "WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid",
      .erase = "DELETE FROM " + table + " WHERE key BETWEEN ?1 AND ?2",
      .erase_unused = "DELETE FROM " + table +
                      " WHERE key IN (SELECT key FROM unused_summary ORDER BY key LIMIT ?1) AND " + unused,
  };
}

// A small form goes with the summary that it was made of.
FormStatements statements_for(const std::string& table) {
  return statements_for(table, "NOT EXISTS (SELECT 1 FROM summary WHERE summary.key = " + table + ".key)");
}

}  // namespace

FormMaker sort_maker() { return {message::sort_keys_version, message::sort_keys_of}; }
FormMaker thread_maker() { return {message::thread_links_version, message::thread_links_of}; }

const FormMaker& FormMakers::of(Form form) const {
  switch (form) {
    case Form::envelope: return envelope;
    case Form::sort: return sort;
    case Form::thread: return thread;
    case Form::summary:
    case Form::structure: break;
  }
  return structure;
}

bool is_current(Form form, std::string_view octets, const FormMakers& makers) {
  if (form == Form::summary) return message::is_current(octets);
  return octets.starts_with(makers.of(form).version);
}

const FormStatements& statements_of(Form form) {
  // Another message's row may have come to share a summary since it was put on the list.
  static const FormStatements summary =
      statements_for("summary",
                     "NOT EXISTS (SELECT 1 FROM message WHERE summary_key = summary.key) "
                     "AND NOT EXISTS (SELECT 1 FROM message WHERE mailbox = summary.key >> 31 "
                     "AND uid = summary.key & 0x7fffffff AND summary_key IS NULL)");
  static const FormStatements envelope = statements_for("envelope_form");
  static const FormStatements structure = statements_for("structure_form");
  static const FormStatements sort = statements_for("sort_form");
  static const FormStatements thread = statements_for("thread_form");
  switch (form) {
    case Form::summary: break;
    case Form::envelope: return envelope;
    case Form::structure: return structure;
    case Form::sort: return sort;
    case Form::thread: return thread;
  }
  return summary;
}

}  // namespace posthorn::storage
