#include "analyzer/objects/detector.h"

#include <utility>

#include <opencv2/dnn.hpp>

namespace gopline::analyzer {
namespace {

Result<cv::dnn::Net> read_network(const std::string& path) {
  try {
    auto net = cv::dnn::readNetFromONNX(path);
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    return net;
  } catch (const cv::Exception& error) {
    return fail(ErrorCode::kInvalidArgument, "{} is no network that OpenCV can run: {}", path, error.what());
  }
}

cv::Mat run(cv::dnn::Net& net, const cv::Mat& bgr, bool is_rgb) {
  net.setInput(cv::dnn::blobFromImage(bgr, 1.0 / 255, {}, {}, is_rgb, false));
  auto output = net.forward();
  if (output.depth() == CV_32F) return output;
  cv::Mat numbers;
  output.convertTo(numbers, CV_32F);
  return numbers;
}

std::vector<int> shape_of(const cv::Mat& output) {
  return {output.size.p, output.size.p + output.dims};
}

class DnnDetector final : public Detector {
 public:
  DnnDetector(cv::dnn::Net net, OutputLayout layout) : net_(std::move(net)), layout_(layout) {}

  Result<std::vector<RawSighting>> look(const media::Picture& picture, double least_score) override {
    auto plane = picture.plane(0);
    try {
      // A view of what was scaled; nobody writes to it.
      cv::Mat bgr(picture.height(), picture.width(), CV_8UC3, const_cast<std::uint8_t*>(plane.data),
                  static_cast<std::size_t>(plane.stride));
      auto output = run(net_, bgr, layout_ != OutputLayout::kFastestDet);
      NetworkOutput numbers{shape_of(output), output.ptr<float>()};
      return read_output(numbers, layout_, bgr.cols, bgr.rows, least_score);
    } catch (const cv::Exception& error) {
      return fail(ErrorCode::kInternal, "the network: OpenCV: {}", error.what());
    }
  }

 private:
  cv::dnn::Net net_;
  const OutputLayout layout_;
};

}  // namespace

Result<std::unique_ptr<Detector>> Detector::load(const std::string& path, OutputLayout layout) {
  GOPLINE_ASSIGN(auto net, read_network(path));
  return std::make_unique<DnnDetector>(std::move(net), layout);
}

Result<OutputLayout> Detector::try_layout(const std::string& path, int width, int height) {
  GOPLINE_ASSIGN(auto net, read_network(path));
  try {
    return guess_layout(shape_of(run(net, cv::Mat(height, width, CV_8UC3, cv::Scalar::all(128)), false)));
  } catch (const cv::Exception& error) {
    return fail(ErrorCode::kInvalidArgument, "{} does not take pictures of {}x{}: {}", path, width, height,
                error.what());
  }
}

}  // namespace gopline::analyzer
