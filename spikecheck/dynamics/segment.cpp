// Many updates of an ensemble in one call. `segment.py` puts before it NUMBER (double or float), and TYPES and ARGUMENTS of the
// compiled kernel, every one of which is an address or a size.
//
// Each update does to every number what the rules in `updates.py` do to tensors, one rounding an operation and in the same
// order, so that both give the same bits. Members come last: parameters, gradients and velocity are [size, columns].

#include <cmath>
#include <cstdint>
#include <cstring>

// Where the kernel is and what it is given, where it leaves losses and gradients, and the ensemble's state.
struct Segment {
    void* kernel;
    const int64_t* a;
    const NUMBER* losses;
    const NUMBER* gradients;
    NUMBER* params;
    NUMBER* velocity;  // none: gradient descent
    const NUMBER* lr;
    double momentum, weight_decay;
    int64_t nesterov, size, columns, members;
};

static void update(const Segment& s) {
    const NUMBER momentum = s.momentum, decay = s.weight_decay;
    for (int64_t row = 0; row < s.size; ++row) {
        NUMBER* params = s.params + row * s.columns;
        NUMBER* velocity = s.velocity ? s.velocity + row * s.columns : nullptr;
        const NUMBER* gradients = s.gradients + row * s.columns;
#pragma omp simd
        for (int64_t c = 0; c < s.columns; ++c) {
            const NUMBER pull = decay != 0 ? gradients[c] + decay * params[c] : gradients[c];
            NUMBER motion = pull;
            if (velocity) {
                velocity[c] = momentum * velocity[c] + pull;
                motion = s.nesterov ? pull + momentum * velocity[c] : velocity[c];
            }
            params[c] = params[c] - s.lr[c] * motion;
        }
    }
}

// Makes up to `steps` updates and writes the losses before each into `record` [steps, members]. Stops before the first update
// for which a loss is not finite. Returns how many it made.
extern "C" int64_t segment(const Segment* s, int64_t steps, NUMBER* record) {
    const int64_t* a = s->a;
    for (int64_t step = 0; step < steps; ++step) {
        reinterpret_cast<void (*)(TYPES)>(s->kernel)(ARGUMENTS);
        std::memcpy(record + step * s->members, s->losses, s->members * sizeof(NUMBER));
        for (int64_t member = 0; member < s->members; ++member)
            if (!std::isfinite(s->losses[member])) return step;
        update(*s);
    }
    return steps;
}
