#include "common/log/embedded/fault_vfs.h"

#include <cerrno>
#include <filesystem>

#include <sqlite3.h>

#include "common/log/embedded/fault_layer.h"

// A VFS that wraps another, as SQLite's documentation describes them: each of its files is ours, followed in
// memory by the wrapped one.
namespace gopline::embedded {
namespace {

struct FaultVfs {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::string name;
  FaultLayer* layer = nullptr;
};

struct VfsFile {
  sqlite3_file base;
  FaultVfs* owner;
  std::string* path;
  // SQLite's unix VFS syncs the directory with the first sync of a WAL or journal that it may have created,
  // and never with that of a database.
  bool syncs_its_name;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

VfsFile* of(sqlite3_file* file) {
  return reinterpret_cast<VfsFile*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return of(file)->real();
}
FaultVfs* of(sqlite3_vfs* vfs) {
  return static_cast<FaultVfs*>(vfs->pAppData);
}

int write_fault(int error) {
  return error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int x_close(sqlite3_file* file) {
  auto code = real_of(file)->pMethods->xClose(real_of(file));
  delete of(file)->path;
  return code;
}
int x_read(sqlite3_file* file, void* out, int count, sqlite3_int64 at) {
  return real_of(file)->pMethods->xRead(real_of(file), out, count, at);
}
int x_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  auto& layer = *of(file)->owner->layer;
  int error = layer.before_change();
  if (error) count /= 2;
  auto code = real_of(file)->pMethods->xWrite(real_of(file), bytes, count, at);
  layer.model().written(*of(file)->path, static_cast<std::uint64_t>(at),
                        {static_cast<const char*>(bytes), static_cast<std::size_t>(count)});
  return error ? write_fault(error) : code;
}
int x_truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& layer = *of(file)->owner->layer;
  if (layer.before_change()) return SQLITE_IOERR_TRUNCATE;
  layer.model().truncated(*of(file)->path, static_cast<std::uint64_t>(size));
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
int x_sync(sqlite3_file* file, int) {
  auto& layer = *of(file)->owner->layer;
  if (layer.before_change()) return SQLITE_IOERR_FSYNC;
  layer.model().synced(*of(file)->path);
  if (of(file)->syncs_its_name) {
    layer.model().directory_synced(std::filesystem::path(*of(file)->path).parent_path().string());
    of(file)->syncs_its_name = false;
  }
  return SQLITE_OK;
}
int x_file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
int x_lock(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xLock(real_of(file), level);
}
int x_unlock(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int x_check_lock(sqlite3_file* file, int* out) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}
int x_control(sqlite3_file* file, int operation, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
int x_sector(sqlite3_file* file) {
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}
int x_device(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
int x_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}
int x_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
void x_shm_barrier(sqlite3_file* file) {
  real_of(file)->pMethods->xShmBarrier(real_of(file));
}
int x_shm_unmap(sqlite3_file* file, int remove) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

const sqlite3_io_methods kMethods = {2,           x_close,   x_read,     x_write,       x_truncate,  x_sync,
                                     x_file_size, x_lock,    x_unlock,   x_check_lock,  x_control,   x_sector,
                                     x_device,    x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, nullptr,
                                     nullptr};

int x_open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* file, int flags, int* out_flags) {
  auto& owner = *of(vfs);
  auto* mine = of(file);
  mine->base.pMethods = nullptr;
  bool present = path && std::filesystem::exists(path);
  auto code = owner.real->xOpen(owner.real, path, mine->real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  mine->base.pMethods = &kMethods;
  mine->owner = &owner;
  mine->path = new std::string(path ? path : "");
  mine->syncs_its_name =
      (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  if (path && !present) owner.layer->model().created(path);
  return SQLITE_OK;
}
int x_delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  auto& owner = *of(vfs);
  if (owner.layer->before_change()) return SQLITE_IOERR_DELETE;
  auto code = owner.real->xDelete(owner.real, path, 0);
  if (code != SQLITE_OK) return code;
  owner.layer->model().removed(path);
  if (sync_directory)
    owner.layer->model().directory_synced(std::filesystem::path(path).parent_path().string());
  return SQLITE_OK;
}
int x_access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
  return of(vfs)->real->xAccess(of(vfs)->real, path, flags, out);
}
int x_full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
  return of(vfs)->real->xFullPathname(of(vfs)->real, path, size, out);
}
int x_random(sqlite3_vfs* vfs, int size, char* out) {
  return of(vfs)->real->xRandomness(of(vfs)->real, size, out);
}
int x_sleep(sqlite3_vfs* vfs, int microseconds) {
  return of(vfs)->real->xSleep(of(vfs)->real, microseconds);
}
int x_time(sqlite3_vfs* vfs, double* out) {
  return of(vfs)->real->xCurrentTime(of(vfs)->real, out);
}
int x_last_error(sqlite3_vfs* vfs, int size, char* out) {
  return of(vfs)->real->xGetLastError(of(vfs)->real, size, out);
}
int x_time64(sqlite3_vfs* vfs, sqlite3_int64* out) {
  return of(vfs)->real->xCurrentTimeInt64(of(vfs)->real, out);
}

}  // namespace

std::shared_ptr<void> register_fault_vfs(const std::string& name, FaultLayer& layer) {
  auto* made = new FaultVfs;
  made->real = sqlite3_vfs_find(nullptr);
  made->name = name;
  made->layer = &layer;
  auto& vfs = made->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(VfsFile)) + made->real->szOsFile;
  vfs.mxPathname = made->real->mxPathname;
  vfs.zName = made->name.c_str();
  vfs.pAppData = made;
  vfs.xOpen = x_open;
  vfs.xDelete = x_delete;
  vfs.xAccess = x_access;
  vfs.xFullPathname = x_full_path;
  vfs.xRandomness = x_random;
  vfs.xSleep = x_sleep;
  vfs.xCurrentTime = x_time;
  vfs.xGetLastError = x_last_error;
  vfs.xCurrentTimeInt64 = x_time64;
  sqlite3_vfs_register(&vfs, 0);
  return {made, [](FaultVfs* gone) {
            sqlite3_vfs_unregister(&gone->vfs);
            delete gone;
          }};
}

}  // namespace gopline::embedded
