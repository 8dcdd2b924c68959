#include "common/payload/s3/s3_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "common/base/test_directory.h"

namespace gopline::payload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class S3SettingsTest : public ::testing::Test {
 protected:
  S3SettingsTest() { variables_["HOME"] = directory_.path(); }

  std::string write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(directory_ / name).parent_path());
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }
  Result<S3Settings> read(const std::string& url = "s3://bucket/prefix") {
    std::optional<std::filesystem::path> file;
    if (!config_.empty()) file = write("s3.conf", config_);
    return read_s3_settings(url, file, [this](const std::string& name) -> std::optional<std::string> {
      auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string error(const std::string& url = "s3://bucket/prefix") {
    auto settings = read(url);
    if (settings) return "no error";
    EXPECT_THAT(settings.error().message, Not(HasSubstr("sesame")));
    return settings.error().message;
  }

  TestDirectory directory_;
  std::string config_;
  std::map<std::string, std::string> variables_;
};

class WithCredentials : public S3SettingsTest {
 protected:
  WithCredentials() {
    variables_["AWS_ACCESS_KEY_ID"] = "AKID";
    variables_["AWS_SECRET_ACCESS_KEY"] = "sesame";
  }
};

TEST_F(WithCredentials, AmazonIsTheDefault) {
  auto settings = read().value();
  EXPECT_EQ(settings.endpoint(), "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(settings.addressing, S3Addressing::kVirtualHost);
  EXPECT_EQ(settings.bucket, "bucket");
  EXPECT_EQ(settings.prefix, "prefix");
  EXPECT_EQ(settings.credentials.secret_access_key, "sesame");
  variables_["AWS_DEFAULT_REGION"] = "eu-west-1";
  EXPECT_EQ(read()->host, "s3.eu-west-1.amazonaws.com");
  variables_["AWS_REGION"] = "eu-central-1";
  EXPECT_EQ(read()->region, "eu-central-1");
  EXPECT_EQ(read("s3://a.bucket")->addressing, S3Addressing::kPath) << "no certificate has two names deep";
}

TEST_F(WithCredentials, AnEndpointOfOnesOwn) {
  variables_["AWS_ENDPOINT_URL"] = "http://10.0.0.1:9000/s3/";
  auto settings = read().value();
  EXPECT_EQ(settings.endpoint(), "http://10.0.0.1:9000/s3");
  EXPECT_EQ(settings.addressing, S3Addressing::kPath);
  variables_["AWS_ENDPOINT_URL_S3"] = "https://minio.example:443";
  EXPECT_EQ(read()->host, "minio.example");
  for (const char* bad :
       {"minio:9000", "ftp://minio", "http://", "http://user:sesame@host", "http://h/?a=sesame"}) {
    variables_["AWS_ENDPOINT_URL_S3"] = bad;
    EXPECT_THAT(error(), HasSubstr("$AWS_ENDPOINT_URL_S3: an endpoint is http://HOST:PORT")) << bad;
  }
}

TEST_F(WithCredentials, TheFileWinsAndTakesEverySetting) {
  variables_["AWS_REGION"] = "eu-west-1";
  config_ = R"(# of the archive
endpoint = http://127.0.0.1:9000
region=eu-north-1
addressing=virtual
ca_file=/etc/own.pem
access_key_id=OWN
secret_access_key = a=b
session_token=t
sse=aws:kms
sse_kms_key_id=key-1
part_size=8MiB
multipart_threshold=9MiB
range_size=1MiB
parallel=7
connect_timeout=1s
stall_timeout=2s
patience=0
)";
  auto settings = read().value();
  EXPECT_EQ(settings.endpoint(), "http://127.0.0.1:9000");
  EXPECT_EQ(settings.region, "eu-north-1");
  EXPECT_EQ(settings.addressing, S3Addressing::kVirtualHost);
  EXPECT_EQ(settings.ca_file, "/etc/own.pem");
  EXPECT_EQ(settings.credentials.access_key_id, "OWN");
  EXPECT_EQ(settings.credentials.secret_access_key, "a=b");
  EXPECT_EQ(settings.credentials.session_token, "t");
  EXPECT_EQ(settings.sse, "aws:kms");
  EXPECT_EQ(settings.sse_kms_key_id, "key-1");
  EXPECT_EQ(settings.part_size, 8u << 20);
  EXPECT_EQ(settings.multipart_threshold, 9u << 20);
  EXPECT_EQ(settings.range_size, 1u << 20);
  EXPECT_EQ(settings.parallel, 7u);
  EXPECT_EQ(settings.connect_timeout, std::chrono::seconds(1));
  EXPECT_EQ(settings.stall_timeout, std::chrono::seconds(2));
  EXPECT_EQ(settings.patience, Duration(0));
}

TEST_F(WithCredentials, AMistakeIsNamedByFileAndLine) {
  for (auto [line, what] : std::vector<std::pair<std::string, std::string>>{
           {"secret_acces_key=sesame", "there is no setting of that name; there are endpoint, region"},
           {"sesame", "a line is name=value"},
           {"=sesame", "a line is name=value"},
           {"part_size=1MiB", "part_size is from 5.2 MB to 5.4 GB"},
           {"part_size=much", "'much' is not a size"},
           {"parallel=0", "parallel is a number from 1 to 64"},
           {"patience=-1", "not a duration"},
           {"stall_timeout=10ms", "stall_timeout is from 1.0 s to a day"},
           {"addressing=dns", "addressing is auto, path or virtual"},
           {"sse=yes", "sse is AES256 or aws:kms"},
           {"sse_kms_key_id=k", "goes with sse=aws:kms"},
           {"region=eu/1", "a region is a word like eu-central-1"},
           {"profile=nobody", "there is no profile 'nobody'"}}) {
    config_ = "# first\n" + line + "\n";
    EXPECT_THAT(error(), HasSubstr(directory_ / "s3.conf:2: ")) << line;
    EXPECT_THAT(error(), HasSubstr(what)) << line;
  }
  config_.clear();
  auto missing =
      read_s3_settings("s3://bucket", directory_ / "none", [](const auto&) { return std::nullopt; });
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(S3SettingsTest, ProfilesAsTheAwsToolsKeepThem) {
  write(".aws/credentials",
        "[default]\naws_access_key_id = D\naws_secret_access_key = d\n"
        "; comment\n[archive]\naws_access_key_id=A\naws_secret_access_key=a\naws_session_token=t\n");
  write(".aws/config",
        "[default]\nregion=eu-west-1\ns3 =\n  addressing_style = path\n"
        "[profile archive]\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:1\n");
  auto settings = read().value();
  EXPECT_EQ(settings.credentials.access_key_id, "D");
  EXPECT_EQ(settings.region, "eu-west-1");
  variables_["AWS_PROFILE"] = "archive";
  settings = read().value();
  EXPECT_EQ(settings.credentials.access_key_id, "A");
  EXPECT_EQ(settings.credentials.session_token, "t");
  EXPECT_EQ(settings.endpoint(), "http://127.0.0.1:1");
  variables_["AWS_PROFILE"] = "nobody";
  EXPECT_THAT(error(), HasSubstr("$AWS_PROFILE: there is no profile 'nobody'"));
}

TEST_F(S3SettingsTest, TheFilesOfProfilesMayLieElsewhere) {
  variables_["AWS_SHARED_CREDENTIALS_FILE"] =
      write("else/keys", "[default]\naws_access_key_id=E\naws_secret_access_key=e\n");
  variables_["AWS_CONFIG_FILE"] = write("else/config", "[default]\nregion=eu-south-1\n");
  EXPECT_EQ(read()->credentials.access_key_id, "E");
  EXPECT_EQ(read()->region, "eu-south-1");
}

TEST_F(WithCredentials, KeysOfDifferentSourcesAreNeverMixed) {
  write(".aws/credentials", "[p]\naws_access_key_id=P\naws_secret_access_key=p\naws_session_token=of-p\n");
  variables_["AWS_PROFILE"] = "p";
  EXPECT_EQ(read()->credentials.session_token, "") << "the environment's keys have none";
  config_ = "access_key_id=OWN\n";
  EXPECT_THAT(error(), HasSubstr("there is only half of the credentials"));
  config_ = "profile=p\n";
  EXPECT_EQ(read()->credentials.access_key_id, "P") << "named in the file, it wins";
}

TEST_F(S3SettingsTest, WithoutCredentialsItSaysWhereTheyAreLookedFor) {
  auto message = error();
  for (const char* place : {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "~/.aws/credentials", "--s3-config"}) {
    EXPECT_THAT(message, HasSubstr(place));
  }
}

TEST_F(WithCredentials, UrlsAreBucketsAndPrefixes) {
  EXPECT_EQ(read("s3://bucket")->prefix, "");
  EXPECT_EQ(read("s3://bucket/")->url(), "s3://bucket");
  EXPECT_EQ(read("s3://bucket/a/b%20c/")->prefix, "a/b c");
  EXPECT_EQ(read("s3://bucket/a/b%20c/")->url(), "s3://bucket/a/b%20c");
  for (const char* bad :
       {"s3://", "s3:///prefix", "bucket", "s3://key:sesame@bucket/p", "s3://bucket//p", "s3://b"}) {
    EXPECT_THAT(error(bad), HasSubstr("s3://")) << bad;
    EXPECT_EQ(read(bad).error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

TEST_F(WithCredentials, ACredentialIsOneWord) {
  variables_["AWS_SECRET_ACCESS_KEY"] = "sesame\r\nx-evil: 1";
  EXPECT_THAT(error(), HasSubstr("a space or control character"));
}

}  // namespace
}  // namespace gopline::payload
