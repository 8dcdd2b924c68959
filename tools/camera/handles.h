#pragma once
// Owners of what GLib and GStreamer count references of.
#include <gst/gst.h>

#include <memory>
#include <string>

namespace gopline::camera {

struct GObjectDeleter {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using GPtr = std::unique_ptr<T, GObjectDeleter>;

struct BytesDeleter {
  void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
using BytesPtr = std::unique_ptr<GBytes, BytesDeleter>;

struct BufferDeleter {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using BufferPtr = std::unique_ptr<GstBuffer, BufferDeleter>;

struct CapsDeleter {
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using CapsPtr = std::unique_ptr<GstCaps, CapsDeleter>;

struct GErrorDeleter {
  void operator()(GError* error) const { g_error_free(error); }
};
using GErrorPtr = std::unique_ptr<GError, GErrorDeleter>;

struct GFreeDeleter {
  void operator()(gpointer memory) const { g_free(memory); }
};
using GStringPtr = std::unique_ptr<char, GFreeDeleter>;

// One more reference of the caller's own.
template <class T>
GPtr<T> share(T* object) {
  g_object_ref(static_cast<gpointer>(object));
  return GPtr<T>(object);
}

}  // namespace gopline::camera
