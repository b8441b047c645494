package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.models.ModelOptions;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;

/** What the starter configures, and what it leaves alone. */
class AutoConfigurationTest {
    private final WebApplicationContextRunner application = new WebApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(PeftAutoConfiguration.class));

    @Test
    void withoutAModelThereIsNothing() {
        application.run(context -> assertEquals(0, context.getBeansOfType(PeftAdapters.class).size()));
    }

    @Test
    void teachingByHttpIsSwitchedOffByDefault() {
        application.withPropertyValues("peft4j.model=tiny", "peft4j.dtype=f32", "peft4j.threads=1").run(context -> {
            assertEquals(0, context.getBeansOfType(TuningController.class).size());
            assertEquals(1, context.getBeansOfType(ChatModel.class).size());
            assertEquals(ModelOptions.Precision.F32, context.getBean(PeftAdapters.class).base().precision()
                    .precision());
        });
    }

    @Test
    void healthIsLeftOutWhereTheApplicationHasNone() {
        application.withPropertyValues("peft4j.model=tiny")
                .withClassLoader(new FilteredClassLoader("org.springframework.boot.health"))
                .run(context -> assertEquals(1, context.getBeansOfType(ChatModel.class).size()));
    }

    @Test
    void aMistakeInTheSettingsSaysWhatIsMissing() {
        application.withPropertyValues("peft4j.model=tiny", "peft4j.tuning.enabled=true").run(context -> {
            Throwable cause = context.getStartupFailure();
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            assertTrue(cause.getMessage().contains("needs peft4j.adapters"), cause.getMessage());
        });
    }
}
