#include "objects/caller.h"

#include <utility>

namespace meesh::objects {
namespace {

thread_local std::shared_ptr<const Caller> current_caller;

}  // namespace

ActingFor::ActingFor(Caller caller)
    : before_(std::exchange(current_caller, std::make_shared<const Caller>(std::move(caller)))) {}

ActingFor::~ActingFor() { current_caller = std::move(before_); }

std::shared_ptr<const Caller> ActingFor::current() { return current_caller; }

}  // namespace meesh::objects
