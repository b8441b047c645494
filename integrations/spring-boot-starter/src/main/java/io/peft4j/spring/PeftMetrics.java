package io.peft4j.spring;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.peft4j.core.model.Completion;
import io.peft4j.models.PeftAdapters;
import java.time.Duration;
import java.util.Objects;

/**
 * Figures of the answers: the timer {@code peft4j.answers}, the summaries {@code peft4j.prompt.tokens} and
 * {@code peft4j.answer.tokens}, each with the tag {@code adapter} (the one that answered, or {@code __base__}), and the
 * gauge {@code peft4j.adapters}.
 */
final class PeftMetrics implements PeftChatModel.AnswerListener {
    private static final String TAG = "adapter";

    private final MeterRegistry registry;

    /** Registers the gauge. */
    public PeftMetrics(MeterRegistry registry, PeftAdapters adapters) {
        this.registry = Objects.requireNonNull(registry, "registry");
        Gauge.builder("peft4j.adapters", adapters, them -> them.names().size())
                .description("Adapters that answer").register(registry);
    }

    @Override
    public void onAnswer(String adapter, Completion answer, Duration time) {
        Timer.builder("peft4j.answers").description("Time of an answer").tag(TAG, adapter).register(registry)
                .record(time);
        DistributionSummary.builder("peft4j.prompt.tokens").description("Tokens of a prompt").tag(TAG, adapter)
                .register(registry).record(answer.promptTokens());
        DistributionSummary.builder("peft4j.answer.tokens").description("New tokens of an answer").tag(TAG, adapter)
                .register(registry).record(answer.ids().length);
    }
}
