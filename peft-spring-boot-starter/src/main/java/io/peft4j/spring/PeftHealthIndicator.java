package io.peft4j.spring;

import io.peft4j.models.BaseModel;
import java.util.Objects;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up while the base model answers; names the model, what its weights are kept in, the adapters, and those that could
 * not be loaded. Down where an adapter of the folder could not be loaded: what answers is not what was put there.
 */
public final class PeftHealthIndicator extends AbstractHealthIndicator {
    private final PeftAdapters adapters;

    /** The health of these models. */
    public PeftHealthIndicator(PeftAdapters adapters) {
        super("the model does not answer");
        this.adapters = Objects.requireNonNull(adapters, "adapters");
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        BaseModel base = adapters.base();
        // A closed model refuses.
        base.lease().close();
        builder.up().withDetail("model", base.network().description().name())
                .withDetail("weights", base.precision().name()).withDetail("adapters", adapters.names());
        if (!adapters.problems().isEmpty()) {
            builder.down().withDetail("problems", adapters.problems());
        }
    }
}
