#pragma once
#include <memory>
#include <string>

namespace gopline::embedded {

class FaultLayer;

// Registers a SQLite VFS of that name which passes everything on to SQLite's own, and tells `layer` of every
// change to a database or its WAL. It is there for as long as what is returned.
std::shared_ptr<void> register_fault_vfs(const std::string& name, FaultLayer& layer);

}  // namespace gopline::embedded
