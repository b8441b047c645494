package io.peft4j.spring;

import io.peft4j.models.PeftAdapters;
import java.util.Objects;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/** The models' own health ({@link PeftAdapters#health}), with its details. */
final class PeftHealthIndicator extends AbstractHealthIndicator {
    private final PeftAdapters adapters;

    /** The health of these models. */
    public PeftHealthIndicator(PeftAdapters adapters) {
        super("the model does not answer");
        this.adapters = Objects.requireNonNull(adapters, "adapters");
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        PeftAdapters.Health health = adapters.health();
        builder.status(health.up() ? Status.UP : Status.DOWN).withDetails(health.details());
    }
}
