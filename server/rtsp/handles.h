#pragma once
// Owners of what GLib and GStreamer count references of. For .cpp files of this room only.
#include <gst/gst.h>

#include <memory>

namespace gopline::server {

struct GObjectDeleter {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using GPtr = std::unique_ptr<T, GObjectDeleter>;

struct CapsDeleter {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsDeleter>;

struct BufferDeleter {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, BufferDeleter>;

struct MemoryDeleter {
  void operator()(GstMemory* memory) const { gst_memory_unref(memory); }
};
using MemoryPtr = std::unique_ptr<GstMemory, MemoryDeleter>;

// One more reference of the caller's own.
template <class T>
GPtr<T> share(T* object) {
  g_object_ref(static_cast<gpointer>(object));
  return GPtr<T>(object);
}

}  // namespace gopline::server
