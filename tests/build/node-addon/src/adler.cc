#include <napi.h>

// The Adler-32 checksum of a string.
static Napi::Value Checksum(const Napi::CallbackInfo& info) {
  std::string text = info[0].As<Napi::String>();
  uint32_t a = 1, b = 0;
  for (unsigned char c : text) {
    a = (a + c) % 65521;
    b = (b + a) % 65521;
  }
  return Napi::Number::New(info.Env(), b << 16 | a);
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("checksum", Napi::Function::New(env, Checksum));
  return exports;
}

NODE_API_MODULE(adler, Init)
