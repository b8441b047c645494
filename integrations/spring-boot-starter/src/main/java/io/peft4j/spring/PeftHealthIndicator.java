package io.peft4j.spring;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.BaseModel;
import java.util.Objects;
import java.util.Optional;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up while the models answer; names the base, what its weights are kept in, the adapters by their versions, what
 * answers requests that name none, and adapters that could not be loaded. Down where that is the one for requests that
 * name none, since what answers them is not what was put there, or where it is not clear which that is; others are
 * details.
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
                .withDetail("weights", base.precision().name()).withDetail("adapters", adapters.versions());
        if (!adapters.problems().isEmpty()) {
            builder.withDetail("problems", adapters.problems());
        }
        try {
            String usual = adapters.name(Optional.empty());
            builder.withDetail("default", usual);
            if (adapters.problems().containsKey(usual)) {
                builder.down();
            }
        } catch (ConfigurationException e) {
            builder.down().withDetail("default", e.getMessage());
        }
    }
}
