package io.peft4j.spring;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import io.peft4j.core.Internal;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.file.AdapterSignature;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.PeftAdapters;
import java.nio.file.Path;
import java.util.Optional;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.observation.ChatModelMeterObservationHandler;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** The beans of the starter, where {@code peft4j.model} is set. A bean of the application goes before each of them. */
@Internal
@AutoConfiguration(afterName = {
    "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
    "org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration",
    "org.springframework.ai.model.chat.observation.autoconfigure.ChatObservationAutoConfiguration"},
        beforeName = "org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration")
@ConditionalOnProperty("peft4j.model")
@EnableConfigurationProperties(PeftProperties.class)
public class PeftAutoConfiguration {
    /** The base model and the adapters; closing the application closes them. */
    @Bean
    @ConditionalOnMissingBean
    public PeftAdapters peftAdapters(PeftProperties properties) {
        ModelOptions options = ModelOptions.defaults().withPrecision(properties.dtype())
                .withToolForm(given(properties.toolForm()));
        if (properties.threads() > 0) {
            options = options.withThreads(properties.threads());
        }
        return new PeftAdapters(BaseModel.load(properties.model(), options), given(properties.adapters()).map(Path::of),
                given(properties.defaultAdapter()),
                given(properties.trustedKey()).map(Path::of).map(AdapterSignature::trusting), properties.reload());
    }

    private static Optional<String> given(String value) {
        return Optional.of(value).filter(text -> !text.isBlank());
    }

    /** Typed questions answered with probabilities. */
    @Bean
    @ConditionalOnMissingBean
    public PeftDecisions peftDecisions(PeftAdapters adapters, PeftProperties properties) {
        return new PeftDecisions(adapters, properties.decisions());
    }

    /** Where the application has Spring AI; its own properties say which provider serves if there are several. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ChatModel.class)
    static class Models {
        @Bean
        @ConditionalOnMissingBean(ChatModel.class)
        @ConditionalOnProperty(name = "spring.ai.model.chat", havingValue = PeftChatModel.PROVIDER,
                matchIfMissing = true)
        PeftChatModel peftChatModel(PeftAdapters adapters, PeftProperties properties,
                ObjectProvider<PeftChatModel.AnswerListener> listeners,
                ObjectProvider<ObservationRegistry> observations,
                ObjectProvider<ChatModelObservationConvention> convention) {
            GenerationOptions usual = GenerationOptions.defaults().withMaxNewTokens(properties.maxTokens());
            usual = usual.withSampling(usual.sampling().withTemperature(properties.temperature()));
            return new PeftChatModel(adapters, usual, (adapter, answer, time) -> listeners.orderedStream()
                    .forEach(listener -> listener.onAnswer(adapter, answer, time)),
                    observations.getIfUnique(() -> ObservationRegistry.NOOP),
                    convention.getIfAvailable(DefaultChatModelObservationConvention::new));
        }

        @Bean
        @ConditionalOnMissingBean(EmbeddingModel.class)
        @ConditionalOnProperty(name = "spring.ai.model.embedding", havingValue = PeftChatModel.PROVIDER,
                matchIfMissing = true)
        PeftEmbeddingModel peftEmbeddingModel(PeftAdapters adapters) {
            return new PeftEmbeddingModel(adapters);
        }
    }

    /** Where the application has Spring Boot's health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    static class Health {
        @Bean
        @ConditionalOnMissingBean
        @ConditionalOnEnabledHealthIndicator("peft")
        PeftHealthIndicator peftHealthIndicator(PeftAdapters adapters) {
            return new PeftHealthIndicator(adapters);
        }
    }

    /** On the web an unknown adapter is a 404 with its message where no handler of the application says otherwise. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication
    @RestControllerAdvice
    static class Web {
        @ExceptionHandler
        ProblemDetail refuse(PeftAdapters.UnknownAdapterException e) {
            return ProblemDetail.forStatusAndDetail(HttpStatus.NOT_FOUND, e.getMessage());
        }
    }

    /** Where the application has Micrometer and Spring AI. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass({MeterRegistry.class, ChatModel.class})
    static class Metrics {
        /** Tokens of what is observed; Spring AI's own configuration has one as well. */
        @Bean
        @ConditionalOnBean(MeterRegistry.class)
        @ConditionalOnMissingBean
        ChatModelMeterObservationHandler peftTokenUsage(MeterRegistry registry) {
            return new ChatModelMeterObservationHandler(registry);
        }

        @Bean
        @ConditionalOnBean(MeterRegistry.class)
        @ConditionalOnMissingBean
        PeftMetrics peftMetrics(MeterRegistry registry, PeftAdapters adapters) {
            return new PeftMetrics(registry, adapters);
        }
    }

    /** Where the application asks for it. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
    @ConditionalOnProperty("peft4j.tuning.enabled")
    static class Tuning {
        @Bean
        @ConditionalOnMissingBean
        Tunings peftTunings(PeftAdapters adapters, PeftProperties properties) {
            return new Tunings(adapters, properties.tuning());
        }

        @Bean
        @ConditionalOnMissingBean
        TuningController peftTuningController(PeftAdapters adapters, Tunings tunings) {
            return new TuningController(adapters, tunings);
        }
    }
}
