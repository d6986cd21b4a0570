// A shallow network's losses and gradients, for all members in one pass. `shallow_kernel.py` puts before it NUMBER (double or
// float), BYTES of a vector register and INLINED, and after it `activation`, which it writes from `shallow_passes.JETS`.
//
// A member is a lane of a register. Each number is made by the operations that inductor makes it by, one rounding an operation and
// every sum from its first term to its last, so that both give the same bits.

#include <cstdint>
#include <cstring>
#if INLINED
#include <immintrin.h>
#endif

typedef NUMBER V __attribute__((vector_size(BYTES)));
typedef int64_t Bits __attribute__((vector_size(BYTES)));
typedef V (*Exponential)(V);
constexpr int64_t LANES = BYTES / sizeof(NUMBER);
// Points computed at once: after one another, each would wait for its own last result.
constexpr int TOGETHER = 8;

static inline V all(NUMBER number) { return V{} + number; }
static inline V either(decltype(V() < V()) first, V one, V other) { return first ? one : other; }
static inline V absolute(V x) { return either(x < NUMBER(0), -x, x); }
static inline V relu(V x) { return either(x < NUMBER(0), V{}, x); }
static inline V sign(V x) { return either(x > NUMBER(0), all(1), either(x < NUMBER(0), all(-1), V{})); }

#if INLINED
static inline V fused(V a, V b, V c) {
    return _mm256_fmadd_pd(a, b, c);
}

// Two to the power of each integer `shifted` - 1.5 * 2^52, whose lowest bits are that integer's.
static inline V power_of_two(V shifted) { return V(((Bits)shifted << 52) + (int64_t(1023) << 52)); }

// SLEEF's Sleef_expd4_u10 with its numbers and roundings, but without a call for every register: x is n log 2 plus a rest, whose
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

// Value and slope at `count` points.
template <int count>
static inline void activation(Exponential exponential, const V* x, V* value, V* slope);

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

// The members of one register: their parameters, the sums that become gradients, and room for a few points' values and slopes.
struct Members {
    Exponential exponential;
    int64_t width;
    NUMBER share;  // 2 / points
    V *weights, *bias, *outgoing, *for_weights, *for_bias, *for_outgoing, *values, *slopes;
    V output_bias, loss, for_output_bias;
};

// Adds the terms of `count` points to the sums.
template <int count>
static inline void add_points(Members& m, const V* x, const V* y) {
    V outputs[count] = {}, pulls[count];
    for (int64_t w = 0; w < m.width; ++w) {
        V before[count];
        for (int p = 0; p < count; ++p)
            before[p] = m.weights[w] * x[p] + m.bias[w];
        activation<count>(m.exponential, before, m.values + w * count, m.slopes + w * count);
        for (int p = 0; p < count; ++p)
            outputs[p] = outputs[p] + m.values[w * count + p] * m.outgoing[w];
    }
    for (int p = 0; p < count; ++p) {
        const V error = (outputs[p] + m.output_bias) - y[p];
        pulls[p] = error * m.share;
        m.loss = m.loss + error * error;
        m.for_output_bias = m.for_output_bias + pulls[p];
    }
    for (int64_t w = 0; w < m.width; ++w) {
        V for_weights = m.for_weights[w], for_bias = m.for_bias[w], for_outgoing = m.for_outgoing[w];
        for (int p = 0; p < count; ++p) {
            const V back = m.slopes[w * count + p] * pulls[p];
            for_weights = for_weights + back * x[p];
            for_bias = for_bias + back;
            for_outgoing = for_outgoing + m.values[w * count + p] * pulls[p];
        }
        m.for_weights[w] = for_weights;
        m.for_bias[w] = for_bias;
        m.for_outgoing[w] = for_outgoing;
    }
}

// Parameters and gradients are [3 * width + biases, columns]: weights, biases, outgoing weights and the output's bias. `x` and `y` are
// [points, columns], `losses` [columns]. `room` holds (6 + 2 * TOGETHER) * width + 2 * points registers.
extern "C" void kernel(int64_t exponential_at, int64_t layers_at, int64_t shift_at, int64_t x_at, int64_t y_at, int64_t losses_at,
                       int64_t gradients_at, int64_t room_at, int64_t points, int64_t width, int64_t columns, int64_t biases) {
    const NUMBER* layers = reinterpret_cast<const NUMBER*>(layers_at);
    NUMBER* gradients = reinterpret_cast<NUMBER*>(gradients_at);
    V* room = reinterpret_cast<V*>(room_at);
    V *x = room + (6 + 2 * TOGETHER) * width, *y = x + points;
    for (int64_t first = 0; first < columns; first += LANES) {
        const int64_t count = columns - first < LANES ? columns - first : LANES;
        Members m = {reinterpret_cast<Exponential>(exponential_at), width, NUMBER(2.0 / static_cast<double>(points))};
        V** parts[] = {&m.weights, &m.bias, &m.outgoing, &m.for_weights, &m.for_bias, &m.for_outgoing, &m.values};
        for (int64_t part = 0; part < 7; ++part)
            *parts[part] = room + part * width;
        m.slopes = m.values + TOGETHER * width;
        gather(m.weights, layers + first, 3 * width, columns, count);
        gather(x, reinterpret_cast<const NUMBER*>(x_at) + first, points, columns, count);
        gather(y, reinterpret_cast<const NUMBER*>(y_at) + first, points, columns, count);
        if (biases)
            gather(&m.output_bias, reinterpret_cast<const NUMBER*>(shift_at) + first, 1, columns, count);
        for (int64_t row = 0; row < 3 * width; ++row)
            m.for_weights[row] = V{};
        int64_t n = 0;
        for (; n + TOGETHER <= points; n += TOGETHER)
            add_points<TOGETHER>(m, x + n, y + n);
        for (; n + TOGETHER / 2 <= points; n += TOGETHER / 2)
            add_points<TOGETHER / 2>(m, x + n, y + n);
        for (; n < points; ++n)
            add_points<1>(m, x + n, y + n);
        for (int64_t w = 0; w < width; ++w) {
            m.for_weights[w] = m.for_weights[w] * m.outgoing[w];
            m.for_bias[w] = m.for_bias[w] * m.outgoing[w];
        }
        m.loss = m.loss / static_cast<NUMBER>(points);
        scatter(reinterpret_cast<NUMBER*>(losses_at) + first, &m.loss, 1, columns, count);
        scatter(gradients + first, m.for_weights, 3 * width, columns, count);
        if (biases)
            scatter(gradients + 3 * width * columns + first, &m.for_output_bias, 1, columns, count);
    }
}

// Writes the exponentials of `count` registers of numbers: this file's, or those of the function at `exponential_at`.
extern "C" void exponentials(int64_t exponential_at, int64_t numbers_at, int64_t results_at, int64_t count, int64_t ours) {
    const Exponential torchs = reinterpret_cast<Exponential>(exponential_at);
    const V* numbers = reinterpret_cast<const V*>(numbers_at);
    V* results = reinterpret_cast<V*>(results_at);
    for (int64_t place = 0; place < count; ++place)
        results[place] = ours ? exponential_of(torchs, numbers[place]) : torchs(numbers[place]);
}
