// Many updates of an ensemble in one call. `segment.py` puts before it NUMBER (double or float), and TYPES and ARGUMENTS of the
// compiled kernel, every one of which is an address or a size.
//
// Each update does to every number what the rules in `optimizers/rules.py` do to tensors, one rounding an operation and in the same
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
    const int64_t* until;  // updates after which a member stands still
    int64_t* done;         // those that it has made
    uint8_t* alive;        // whether its loss was finite so far
    uint8_t* moving;       // room: who makes this update
    double momentum, weight_decay;
    int64_t nesterov, size, columns, members;
};

// Who makes the update whose losses are there; whether that is everyone.
static bool everyone_moves(const Segment& s) {
    bool everyone = true;
    for (int64_t m = 0; m < s.members; ++m) {
        s.alive[m] = s.alive[m] && std::isfinite(s.losses[m]);
        s.moving[m] = s.alive[m] && s.done[m] < s.until[m];
        s.done[m] += s.moving[m];
        everyone = everyone && s.moving[m];
    }
    return everyone;
}

template <bool everyone>
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
                const NUMBER fast = momentum * velocity[c] + pull;
                motion = s.nesterov ? pull + momentum * fast : fast;
                velocity[c] = everyone || s.moving[c] ? fast : velocity[c];
            }
            const NUMBER after = params[c] - s.lr[c] * motion;
            params[c] = everyone || s.moving[c] ? after : params[c];
        }
    }
}

// `steps` updates, with the losses before each in `record` [steps, members]. A member stands still once its loss is not finite,
// in the state in which that happened, and once it has made its updates.
extern "C" void segment(const Segment* s, int64_t steps, NUMBER* record) {
    const int64_t* a = s->a;
    for (int64_t step = 0; step < steps; ++step) {
        reinterpret_cast<void (*)(TYPES)>(s->kernel)(ARGUMENTS);
        std::memcpy(record + step * s->members, s->losses, s->members * sizeof(NUMBER));
        if (everyone_moves(*s))
            update<true>(*s);
        else
            update<false>(*s);
    }
}
