package io.peft4j.trackers;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Gauges in an application's registry: {@code peft4j.training.train_loss} and so on, with the tag {@code run}, each
 * with the value that was measured last. They go when the training is over.
 */
public final class MicrometerTracker implements Tracker {
    private static final String PREFIX = "peft4j.training.";

    private final MeterRegistry registry;

    /** Gauges in this registry. */
    public MicrometerTracker(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public String name() {
        return "micrometer";
    }

    @Override
    public TrackedRun begin(RunDescription run) {
        return new Gauges(Tags.of("run", run.name()));
    }

    private final class Gauges implements TrackedRun {
        private final Tags tags;
        private final Map<String, AtomicReference<Double>> values = new ConcurrentHashMap<>();
        private final Map<String, Gauge> gauges = new ConcurrentHashMap<>();

        Gauges(Tags tags) {
            this.tags = tags;
        }

        @Override
        public void log(List<MetricRow> rows) {
            for (MetricRow row : rows) {
                set("step", (double) row.step());
                row.values().forEach(this::set);
            }
        }

        private void set(String name, Double value) {
            AtomicReference<Double> known = values.computeIfAbsent(name, key -> new AtomicReference<>(value));
            known.set(value);
            gauges.computeIfAbsent(name, key -> Gauge.builder(PREFIX + key, known, AtomicReference::get).tags(tags)
                    .register(registry));
        }

        @Override
        public void end(RunEnd end) {
            gauges.values().forEach(registry::remove);
        }
    }
}
