#pragma once
#include <string>
#include <vector>

namespace gopline::cli {

enum class Align { kLeft, kRight };

// Rows of text under a heading, columns aligned by what a terminal shows. Cells may hold any bytes: they are
// made printable.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add_row(std::vector<std::string> cells);  // missing cells are empty, surplus ones dropped
  bool empty() const { return rows_.empty(); }

  // Heading and rows, each line ended; columns two spaces apart, no spaces at the ends of lines.
  std::string to_string() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gopline::cli
