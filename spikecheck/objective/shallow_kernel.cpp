// A shallow network's losses and gradients, for all members in one pass; after `shallow_vector.cpp`.

// Value and slope at `count` points.
template <int count>
static inline void activation(Exponential exponential, const V* x, V* value, V* slope);

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
