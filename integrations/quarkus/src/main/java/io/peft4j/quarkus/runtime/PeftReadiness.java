package io.peft4j.quarkus.runtime;

import io.peft4j.core.Internal;
import io.peft4j.models.PeftAdapters;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/** The models' own health ({@link PeftAdapters#health}), with its details. */
@Internal
@Readiness
@Singleton
public class PeftReadiness implements HealthCheck {
    private final PeftAdapters adapters;

    /** The health of these models. */
    public PeftReadiness(PeftAdapters adapters) {
        this.adapters = adapters;
    }

    @Override
    public HealthCheckResponse call() {
        PeftAdapters.Health health = adapters.health();
        HealthCheckResponseBuilder response = HealthCheckResponse.named("peft4j").status(health.up());
        health.details().forEach((name, value) -> response.withData(name, value.toString()));
        return response.build();
    }
}
