// A shallow network's losses, gradients and Hessian-vector products, for all members in one pass; after `shallow_vector.cpp`.

// Value, slope and curvature at `count` points.
template <int count>
static inline void activation(Exponential exponential, const V* x, V* value, V* slope, V* curve);

// One neuron's weight, bias and outgoing weight, or as many numbers that belong to them.
struct Neuron {
    V weight, bias, outgoing;
};

// One of the vectors that the Hessians are multiplied by.
struct Way {
    V output_bias, for_output_bias;
    V* pulls;  // how the derivatives by the outputs change along it, at each of a few points
};

// The members of one register: parameters, vectors, sums, and room for a few points. Neurons of vector k begin at k * width.
struct Members {
    Exponential exponential;
    int64_t width, vectors;
    NUMBER share;  // 2 / points
    Neuron *neurons, *sums, *along, *moved;
    Way* ways;
    V *values, *slopes, *curves;
    V output_bias, loss, for_output_bias;
};

// How the outputs at `count` points change along a vector.
template <int count>
static inline void change(const Members& m, const Neuron* along, const V* x, V* changes) {
    V sums[count] = {};
    for (int64_t w = 0; w < m.width; ++w) {
        const V weight = along[w].weight, bias = along[w].bias, outgoing = along[w].outgoing, own = m.neurons[w].outgoing;
        for (int p = 0; p < count; ++p) {
            const V value = m.slopes[w * count + p] * (weight * x[p] + bias);
            sums[p] = sums[p] + (value * own + m.values[w * count + p] * outgoing);
        }
    }
    for (int p = 0; p < count; ++p)
        changes[p] = sums[p];
}

// Adds the terms of `count` points to the sums of one neuron.
template <int count>
static inline void add_gradient(const Members& m, int64_t w, const V* x, const V* pulls) {
    Neuron sum = m.sums[w];
    for (int p = 0; p < count; ++p) {
        const V back = m.slopes[w * count + p] * pulls[p];
        sum.weight = sum.weight + back * x[p];
        sum.bias = sum.bias + back;
        sum.outgoing = sum.outgoing + m.values[w * count + p] * pulls[p];
    }
    m.sums[w] = sum;
}

// The same for the sums that become a product.
template <int count>
static inline void add_product(const Members& m, int64_t w, int64_t k, const V* x, const V* pulls) {
    const V weight = m.along[k * m.width + w].weight, bias = m.along[k * m.width + w].bias;
    Neuron sum = m.moved[k * m.width + w];
    for (int p = 0; p < count; ++p) {
        const V slope = m.slopes[w * count + p], signal = weight * x[p] + bias, pull = m.ways[k].pulls[p];
        const V back = (m.curves[w * count + p] * signal) * pulls[p] + slope * pull;
        sum.weight = sum.weight + back * x[p];
        sum.bias = sum.bias + back;
        sum.outgoing = sum.outgoing + ((slope * signal) * pulls[p] + m.values[w * count + p] * pull);
    }
    m.moved[k * m.width + w] = sum;
}

template <int count>
static inline void add_points(Members& m, const V* x, const V* y) {
    V outputs[count] = {}, pulls[count];
    for (int64_t w = 0; w < m.width; ++w) {
        V before[count];
        for (int p = 0; p < count; ++p)
            before[p] = m.neurons[w].weight * x[p] + m.neurons[w].bias;
        activation<count>(m.exponential, before, m.values + w * count, m.slopes + w * count, m.curves + w * count);
        for (int p = 0; p < count; ++p)
            outputs[p] = outputs[p] + m.values[w * count + p] * m.neurons[w].outgoing;
    }
    for (int p = 0; p < count; ++p) {
        const V error = (outputs[p] + m.output_bias) - y[p];
        pulls[p] = error * m.share;
        m.loss = m.loss + error * error;
        m.for_output_bias = m.for_output_bias + pulls[p];
    }
    for (int64_t k = 0; k < m.vectors; ++k) {
        Way& way = m.ways[k];
        change<count>(m, m.along + k * m.width, x, way.pulls);
        for (int p = 0; p < count; ++p) {
            way.pulls[p] = (way.pulls[p] + way.output_bias) * m.share;
            way.for_output_bias = way.for_output_bias + way.pulls[p];
        }
    }
    for (int64_t w = 0; w < m.width; ++w) {
        add_gradient<count>(m, w, x, pulls);
        for (int64_t k = 0; k < m.vectors; ++k)
            add_product<count>(m, w, k, x, pulls);
    }
}

// Copies `width` neurons, whose weights, biases and outgoing weights are rows one below another, and the output's bias below them.
static void gather_neurons(Neuron* to, V* bias, const NUMBER* from, int64_t width, int64_t columns, int64_t count, int64_t biases) {
    for (int64_t w = 0; w < width; ++w) {
        gather(&to[w].weight, from + w * columns, 1, columns, count);
        gather(&to[w].bias, from + (width + w) * columns, 1, columns, count);
        gather(&to[w].outgoing, from + (2 * width + w) * columns, 1, columns, count);
    }
    *bias = V{};
    if (biases)
        gather(bias, from + 3 * width * columns, 1, columns, count);
}

static void scatter_neurons(NUMBER* to, const Neuron* from, V bias, int64_t width, int64_t columns, int64_t count, int64_t biases) {
    for (int64_t w = 0; w < width; ++w) {
        scatter(to + w * columns, &from[w].weight, 1, columns, count);
        scatter(to + (width + w) * columns, &from[w].bias, 1, columns, count);
        scatter(to + (2 * width + w) * columns, &from[w].outgoing, 1, columns, count);
    }
    if (biases)
        scatter(to + 3 * width * columns, &bias, 1, columns, count);
}

// The next `size` numbers of the room.
template <class T>
static T* taken(V*& room, int64_t size) {
    T* part = reinterpret_cast<T*>(room);
    room += size * (sizeof(T) / sizeof(V));
    return part;
}

// Parameters and gradients are [size, columns] with size = 3 * width + biases, vectors and products [vectors, size, columns]; `x` and
// `y` are [points, columns], `losses` [columns]. `room` holds (6 + 3 * TOGETHER + 6 * vectors) * width + 2 * points +
// (3 + TOGETHER) * vectors registers.
extern "C" void products(int64_t exponential_at, int64_t params_at, int64_t along_at, int64_t x_at, int64_t y_at, int64_t losses_at,
                         int64_t gradients_at, int64_t products_at, int64_t room_at, int64_t points, int64_t width, int64_t columns,
                         int64_t biases, int64_t vectors) {
    const NUMBER *params = reinterpret_cast<const NUMBER*>(params_at), *along = reinterpret_cast<const NUMBER*>(along_at);
    NUMBER *gradients = reinterpret_cast<NUMBER*>(gradients_at), *products = reinterpret_cast<NUMBER*>(products_at);
    const int64_t whole = (3 * width + biases) * columns;
    V* room = reinterpret_cast<V*>(room_at);
    Members m = {reinterpret_cast<Exponential>(exponential_at), width, vectors, NUMBER(2.0 / static_cast<double>(points))};
    m.neurons = taken<Neuron>(room, width), m.sums = taken<Neuron>(room, width);
    m.along = taken<Neuron>(room, vectors * width), m.moved = taken<Neuron>(room, vectors * width);
    m.values = taken<V>(room, TOGETHER * width), m.slopes = taken<V>(room, TOGETHER * width);
    m.curves = taken<V>(room, TOGETHER * width);
    V *x = taken<V>(room, points), *y = taken<V>(room, points), *pulls = taken<V>(room, TOGETHER * vectors);
    m.ways = taken<Way>(room, vectors);
    for (int64_t first = 0; first < columns; first += LANES) {
        const int64_t count = columns - first < LANES ? columns - first : LANES;
        gather_neurons(m.neurons, &m.output_bias, params + first, width, columns, count, biases);
        gather(x, reinterpret_cast<const NUMBER*>(x_at) + first, points, columns, count);
        gather(y, reinterpret_cast<const NUMBER*>(y_at) + first, points, columns, count);
        m.loss = m.for_output_bias = V{};
        for (int64_t k = 0; k < vectors; ++k) {
            m.ways[k].pulls = pulls + TOGETHER * k;
            m.ways[k].for_output_bias = V{};
            gather_neurons(m.along + k * width, &m.ways[k].output_bias, along + k * whole + first, width, columns, count, biases);
        }
        for (int64_t w = 0; w < width; ++w)
            m.sums[w] = Neuron{};
        for (int64_t w = 0; w < vectors * width; ++w)
            m.moved[w] = Neuron{};
        int64_t n = 0;
        for (; n + TOGETHER <= points; n += TOGETHER)
            add_points<TOGETHER>(m, x + n, y + n);
        for (; n + TOGETHER / 2 <= points; n += TOGETHER / 2)
            add_points<TOGETHER / 2>(m, x + n, y + n);
        for (; n < points; ++n)
            add_points<1>(m, x + n, y + n);
        for (int64_t k = 0; k < vectors; ++k) {
            for (int64_t w = 0; w < width; ++w) {
                Neuron& moved = m.moved[k * width + w];
                const V outgoing = m.along[k * width + w].outgoing;
                moved.weight = moved.weight * m.neurons[w].outgoing + m.sums[w].weight * outgoing;
                moved.bias = moved.bias * m.neurons[w].outgoing + m.sums[w].bias * outgoing;
            }
            scatter_neurons(products + k * whole + first, m.moved + k * width, m.ways[k].for_output_bias, width, columns, count,
                            biases);
        }
        for (int64_t w = 0; w < width; ++w) {
            m.sums[w].weight = m.sums[w].weight * m.neurons[w].outgoing;
            m.sums[w].bias = m.sums[w].bias * m.neurons[w].outgoing;
        }
        m.loss = m.loss / static_cast<NUMBER>(points);
        scatter(reinterpret_cast<NUMBER*>(losses_at) + first, &m.loss, 1, columns, count);
        scatter_neurons(gradients + first, m.sums, m.for_output_bias, width, columns, count, biases);
    }
}
