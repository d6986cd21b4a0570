// What a shallow network's passes are written with: registers of numbers, a member in each lane. `shallow_library.py` puts before it
// NUMBER (double or float), BYTES of a register and INLINED, then one pass, and at the end `activation`, which it writes from
// `shallow_passes.JETS`.
//
// Each number is made by the operations that inductor makes it by, one rounding an operation and every sum from its first term to its
// last, so that both give the same bits.

#include <cstdint>
#include <cstring>
#if INLINED
#include <immintrin.h>
#endif

typedef NUMBER V __attribute__((vector_size(BYTES)));
typedef int64_t Bits __attribute__((vector_size(BYTES)));
typedef V (*Exponential)(V);
constexpr int64_t LANES = BYTES / sizeof(NUMBER);

static inline V all(NUMBER number) { return V{} + number; }
static inline V either(decltype(V() < V()) first, V one, V other) { return first ? one : other; }
static inline V absolute(V x) { return either(x < NUMBER(0), -x, x); }
static inline V relu(V x) { return either(x < NUMBER(0), V{}, x); }
static inline V sign(V x) { return either(x > NUMBER(0), all(1), either(x < NUMBER(0), all(-1), V{})); }

#if INLINED
static inline V fused(V a, V b, V c) {
#if BYTES == 64
    return _mm512_fmadd_pd(a, b, c);
#else
    return _mm256_fmadd_pd(a, b, c);
#endif
}

// Two to the power of each integer `shifted` - 1.5 * 2^52, whose lowest bits are that integer's.
static inline V power_of_two(V shifted) { return V(((Bits)shifted << 52) + (int64_t(1023) << 52)); }

// SLEEF's Sleef_expd4_u10 and Sleef_expd8_u10 with their numbers and roundings, but without a call for every register: x is n log 2 plus a rest, whose
// exponential is a polynomial, multiplied by two powers of two since 2^n need not be a normal number.
static inline V exponential_of(Exponential, V x) {
    const V middle = all(6755399441055744.0);  // 1.5 * 2^52: a sum with it is rounded to an integer
    const V n = (x * 1.442695040888963407 + middle) - middle;
    const V rest = fused(n, all(-.28235290563031577122588448175013436025525412068e-12),
                         fused(n, all(-.69314718055966295651160180568695068359375), x));
    const V second = rest * rest, fourth = second * second, eighth = fourth * fourth;
    const V a = fused(rest, all(2.081276378237164457e-9), all(2.511210703042288022e-8));
    const V b = fused(rest, all(2.755762628169491192e-7), all(2.755723402025388239e-6));
    const V c = fused(rest, all(2.480158687479686264e-5), all(1.984126989855865850e-4));
    const V d = fused(rest, all(1.388888888914497797e-3), all(8.333333333314938210e-3));
    const V e = fused(rest, all(4.166666666666602598e-2), all(1.666666666666669072e-1));
    const V series = fused(eighth, a, fused(fourth, fused(second, b, c), fused(second, d, e)));
    const V value = fused(fused(fused(series, rest, all(0.5)), rest, all(1)), rest, all(1));
    const V half = n * 0.5 + middle;
    const V scaled = value * power_of_two(half) * power_of_two((n - (half - middle)) + middle);
    return either(x < -1000.0, V{}, either(x > 0x1.62e42fefa39efp+9, all(__builtin_inf()), scaled));
}
#else
static inline V exponential_of(Exponential torchs, V x) { return torchs(x); }
#endif

static inline V sigmoid(Exponential exponential, V x) { return NUMBER(1) / (NUMBER(1) + exponential_of(exponential, -x)); }

// Copies the lanes of `rows` rows, `columns` numbers apart; lanes beyond `count` are zero.
static void gather(V* to, const NUMBER* from, int64_t rows, int64_t columns, int64_t count) {
    for (int64_t row = 0; row < rows; ++row) {
        to[row] = V{};
        if (count == LANES)
            std::memcpy(&to[row], from + row * columns, sizeof(V));
        else
            std::memcpy(&to[row], from + row * columns, count * sizeof(NUMBER));
    }
}

static void scatter(NUMBER* to, const V* from, int64_t rows, int64_t columns, int64_t count) {
    for (int64_t row = 0; row < rows; ++row)
        std::memcpy(to + row * columns, &from[row], count * sizeof(NUMBER));
}

// Writes the exponentials of `count` registers of numbers: this file's, or those of the function at `exponential_at`.
extern "C" void exponentials(int64_t exponential_at, int64_t numbers_at, int64_t results_at, int64_t count, int64_t ours) {
    const Exponential torchs = reinterpret_cast<Exponential>(exponential_at);
    const V* numbers = reinterpret_cast<const V*>(numbers_at);
    V* results = reinterpret_cast<V*>(results_at);
    for (int64_t place = 0; place < count; ++place)
        results[place] = ours ? exponential_of(torchs, numbers[place]) : torchs(numbers[place]);
}
