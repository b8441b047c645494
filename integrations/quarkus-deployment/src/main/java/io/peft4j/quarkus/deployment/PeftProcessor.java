package io.peft4j.quarkus.deployment;

import io.peft4j.quarkus.runtime.PeftBeans;
import io.quarkus.arc.deployment.AdditionalBeanBuildItem;
import io.quarkus.deployment.annotations.BuildStep;
import io.quarkus.deployment.builditem.FeatureBuildItem;
import io.quarkus.smallrye.health.deployment.spi.HealthBuildItem;

/** Registers the feature, the beans and, where the application has health, the check. */
final class PeftProcessor {
    @BuildStep
    FeatureBuildItem feature() {
        return new FeatureBuildItem("peft4j");
    }

    @BuildStep
    AdditionalBeanBuildItem beans() {
        return AdditionalBeanBuildItem.unremovableOf(PeftBeans.class);
    }

    @BuildStep
    HealthBuildItem health() {
        return new HealthBuildItem("io.peft4j.quarkus.runtime.PeftReadiness", true);
    }
}
