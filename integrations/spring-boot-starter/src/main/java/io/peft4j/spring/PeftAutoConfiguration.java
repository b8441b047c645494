package io.peft4j.spring;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** The beans of the starter, where {@code peft4j.model} is set. A bean of the application goes before each of them. */
@AutoConfiguration(afterName = {
    "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
    "org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration"},
        beforeName = "org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration")
@ConditionalOnProperty("peft4j.model")
@EnableConfigurationProperties(PeftProperties.class)
public class PeftAutoConfiguration {
    /** The base model and the adapters; closing the application closes them. */
    @Bean
    @ConditionalOnMissingBean
    public PeftAdapters peftAdapters(PeftProperties properties) {
        ModelOptions options = ModelOptions.defaults().withPrecision(properties.dtype());
        if (properties.threads() > 0) {
            options = options.withThreads(properties.threads());
        }
        return new PeftAdapters(BaseModel.load(properties.model(), options), given(properties.adapters()).map(Path::of),
                given(properties.defaultAdapter()), properties.reload());
    }

    private static Optional<String> given(String value) {
        return Optional.of(value).filter(text -> !text.isBlank());
    }

    /** Spring AI's chat model. */
    @Bean
    @ConditionalOnMissingBean(ChatModel.class)
    public PeftChatModel peftChatModel(PeftAdapters adapters, PeftProperties properties,
            ObjectProvider<PeftChatModel.AnswerListener> listeners) {
        GenerationOptions usual = GenerationOptions.defaults().withMaxNewTokens(properties.maxTokens());
        usual = usual.withSampling(usual.sampling().withTemperature(properties.temperature()));
        return new PeftChatModel(adapters, usual, (adapter, answer, time) -> listeners.orderedStream()
                .forEach(listener -> listener.onAnswer(adapter, answer, time)));
    }

    /** Spring AI's embedding model. */
    @Bean
    @ConditionalOnMissingBean(EmbeddingModel.class)
    public PeftEmbeddingModel peftEmbeddingModel(PeftAdapters adapters) {
        return new PeftEmbeddingModel(adapters);
    }

    /** Typed questions answered with probabilities. */
    @Bean
    @ConditionalOnMissingBean
    public PeftDecisions peftDecisions(PeftAdapters adapters, PeftProperties properties) {
        return new PeftDecisions(adapters, properties.decisions());
    }

    /** Where the application has Spring Boot's health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    static class Health {
        @Bean
        @ConditionalOnMissingBean
        PeftHealthIndicator peftHealthIndicator(PeftAdapters adapters) {
            return new PeftHealthIndicator(adapters);
        }
    }

    /** Where the application has Micrometer. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    static class Metrics {
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

    /**
     * Figures of the answers: the timer {@code peft4j.answers}, the summaries {@code peft4j.prompt.tokens} and
     * {@code peft4j.answer.tokens}, each with the tag {@code adapter} (the one that answered, or {@code __base__}), and
     * the gauge {@code peft4j.adapters}.
     */
    private static final class PeftMetrics implements PeftChatModel.AnswerListener {
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

    /** {@code /peft4j/adapters}: which adapters there are, and training of new ones. Switched off by default. */
    @RestController
    @RequestMapping("/peft4j/adapters")
    static final class TuningController {
        private static final String ROWS = "application/jsonl";

        private final PeftAdapters adapters;
        private final Tunings tunings;

        /** The endpoint of these. */
        public TuningController(PeftAdapters adapters, Tunings tunings) {
            this.adapters = Objects.requireNonNull(adapters, "adapters");
            this.tunings = Objects.requireNonNull(tunings, "tunings");
        }

        /** The adapters that answer, those that could not be loaded, and the trainings. */
        @GetMapping
        public Map<String, Object> list() {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("adapters", adapters.names());
            all.put("problems", adapters.problems());
            all.put("tunings", tunings.all());
            return all;
        }

        /**
         * Begins a training on chats in JSON Lines.
         *
         * @param replace whether an adapter of that name is replaced when it is done
         * @param force whether the new adapter answers whatever its verdict
         */
        @PostMapping("/{name}")
        @ResponseStatus(HttpStatus.ACCEPTED)
        public Map<String, Object> train(@PathVariable("name") String name,
                @RequestParam(name = "replace", defaultValue = "false") boolean replace,
                @RequestParam(name = "force", defaultValue = "false") boolean force, @RequestBody String rows) {
            tunings.begin(name, rows, new Tunings.Permissions(replace, force));
            return Map.of("adapter", name, "state", tunings.all().get(name).state());
        }

        /** Rows that come as a form, which a servlet takes apart, would not arrive as they were sent. */
        @PostMapping(path = "/{name}", consumes = MediaType.APPLICATION_FORM_URLENCODED_VALUE)
        @ResponseStatus(HttpStatus.UNSUPPORTED_MEDIA_TYPE)
        public ProblemDetail refuseForm() {
            return ProblemDetail.forStatusAndDetail(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "the content type is "
                    + MediaType.APPLICATION_FORM_URLENCODED_VALUE
                    + ", which curl sends unless it is told another; send "
                    + "the rows as " + ROWS + ": curl -H 'Content-Type: " + ROWS + "' --data-binary @rows.jsonl URL");
        }

        /** There is an adapter of that name. */
        @ExceptionHandler(AdapterExistsException.class)
        public ProblemDetail refuse(AdapterExistsException e) {
            return ProblemDetail.forStatusAndDetail(HttpStatus.CONFLICT, e.getMessage());
        }

        /** What was wrong with a request. */
        @ExceptionHandler(PeftException.class)
        public ProblemDetail refuse(PeftException e) {
            return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
        }
    }
}
