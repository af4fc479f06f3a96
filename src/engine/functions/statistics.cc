// Distribution functions and confidence intervals.
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>

#include "engine/functions/kernels.h"

namespace meesh::engine {
namespace {

void check(bool holds, const char* message) {
  if (!holds) raise(Code::kInvalidFunctionArgument, message);
}

double normal_cdf(double mean, double deviation, double value) {
  check(deviation > 0, "standardDeviation must be > 0");
  return 0.5 * (1 + std::erf((value - mean) / (deviation * std::sqrt(2.0))));
}

double inverse_normal_cdf(double mean, double deviation, double p) {
  check(p > 0 && p < 1, "p must be 0 > p > 1");
  check(deviation > 0, "sd must be > 0");
  return mean + deviation * std::sqrt(2.0) * boost::math::erf_inv(2 * p - 1);
}

double beta_cdf(double a, double b, double value) {
  check(value >= 0 && value <= 1, "value must be 0 >= v >= 1");
  check(a > 0 && b > 0, "a, b must be > 0");
  return std::isfinite(a) && std::isfinite(b) ? boost::math::ibeta(a, b, value) : std::nan("");
}

double inverse_beta_cdf(double a, double b, double p) {
  check(p >= 0 && p <= 1, "p must be 0 >= p >= 1");
  check(a > 0 && b > 0, "a, b must be > 0");
  return std::isfinite(a) && std::isfinite(b) ? boost::math::ibeta_inv(a, b, p) : std::nan("");
}

double student_cdf(double x, double degrees) {
  check(degrees >= 1, "degrees of freedom must be greater than or equal to 1");
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return x < 0 ? 0 : 1;
  return boost::math::cdf(boost::math::students_t(degrees), x);
}

double student_pdf(double x, double degrees) {
  check(degrees >= 1, "degrees of freedom must be greater than or equal to 1");
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return 0;
  return boost::math::pdf(boost::math::students_t(degrees), x);
}

/// The bound of Wilson's score interval; side is -1 or 1.
double wilson(int64_t successes, int64_t trials, double z, int32_t side) {
  check(successes >= 0, "number of successes must not be negative");
  check(trials > 0, "number of trials must be positive");
  check(successes <= trials, "number of successes must not be larger than number of trials");
  check(z >= 0, "z-score must not be negative");
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return (p + z * z / (2 * n) + side * spread) / (1 + z * z / n);
}

}  // namespace

void register_statistics_kernels(duckdb::ExtensionLoader& loader) {
  const auto three = [&](const char* name, double (*function)(double, double, double)) {
    add_kernel<double, double, double>(
        loader, name, {kDouble, kDouble, kDouble}, kDouble,
        [function](double a, double b, double c) { return function(a, b, c); });
  };
  three("meesh_normal_cdf", normal_cdf);
  three("meesh_inverse_normal_cdf", inverse_normal_cdf);
  three("meesh_beta_cdf", beta_cdf);
  three("meesh_inverse_beta_cdf", inverse_beta_cdf);
  add_kernel<double, double>(loader, "meesh_t_cdf", {kDouble, kDouble}, kDouble, student_cdf);
  add_kernel<double, double>(loader, "meesh_t_pdf", {kDouble, kDouble}, kDouble, student_pdf);
  add_kernel<int64_t, int64_t, double, int32_t>(loader, "meesh_wilson",
                                                {kLong, kLong, kDouble, kInt}, kDouble, wilson);
}

}  // namespace meesh::engine
