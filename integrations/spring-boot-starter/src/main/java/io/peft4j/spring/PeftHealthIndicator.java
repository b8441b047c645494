package io.peft4j.spring;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.BaseModel;
import java.util.Objects;
import java.util.Optional;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up while the models answer; names the base, what its weights are kept in, the adapters, what answers requests that
 * name none, and adapters that could not be loaded. Down where there are such: what answers is not what was put there;
 * and where it is not clear which adapter answers a request that names none.
 */
final class PeftHealthIndicator extends AbstractHealthIndicator {
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
        try {
            builder.withDetail("default", adapters.name(Optional.empty()));
        } catch (ConfigurationException e) {
            builder.down().withDetail("default", e.getMessage());
        }
        if (!adapters.problems().isEmpty()) {
            builder.down().withDetail("problems", adapters.problems());
        }
    }
}
