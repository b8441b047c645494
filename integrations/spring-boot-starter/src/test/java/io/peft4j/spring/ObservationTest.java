package io.peft4j.spring;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.micrometer.observation.Observation;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.PeftAdapters;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;

/** What an operator sees of the answers of a chat model. */
class ObservationTest {
    private static final String NAME = "gen_ai.client.operation";

    private final TestObservationRegistry registry = TestObservationRegistry.create();
    private final PeftAdapters adapters = new PeftAdapters(BaseModel.load("tiny"), Optional.empty(), Optional.empty(),
            Optional.empty(), Duration.ZERO);
    private final PeftChatModel chat = new PeftChatModel(adapters, GenerationOptions.defaults(),
            (adapter, answer, time) -> {
            }, registry, new DefaultChatModelObservationConvention());

    @AfterEach
    void close() {
        adapters.close();
    }

    private static Prompt prompt(String model) {
        return new Prompt("Hello!", ChatOptions.builder().model(model).maxTokens(3).build());
    }

    @Test
    void anAnswerIsAnOperationWithItsTokens() {
        Usage usage = chat.call(prompt(PeftModel.BASE)).getMetadata().getUsage();

        TestObservationRegistryAssert.assertThat(registry).hasNumberOfObservationsEqualTo(1)
                .hasObservationWithNameEqualTo(NAME).that().hasBeenStarted().hasBeenStopped().doesNotHaveError()
                .hasContextualNameEqualTo("chat __base__")
                .hasLowCardinalityKeyValue("gen_ai.operation.name", "chat")
                .hasLowCardinalityKeyValue("gen_ai.request.model", "__base__")
                .hasLowCardinalityKeyValue("gen_ai.response.model", "tiny")
                .hasHighCardinalityKeyValue("gen_ai.request.max_tokens", "3")
                .hasHighCardinalityKeyValue("gen_ai.response.finish_reasons", "[\"LENGTH\"]")
                .hasHighCardinalityKeyValue("gen_ai.usage.input_tokens", "" + usage.getPromptTokens())
                .hasHighCardinalityKeyValue("gen_ai.usage.output_tokens", "3");
    }

    @Test
    void aStreamIsOneOperationWithinThatOfItsCaller() {
        Observation caller = Observation.start("request", registry);
        ChatResponse last;
        try (Observation.Scope scope = caller.openScope()) {
            last = chat.stream(new Prompt("Hello!")).blockLast();
        }
        caller.stop();

        TestObservationRegistryAssert.assertThat(registry).hasNumberOfObservationsWithNameEqualTo(NAME, 1)
                .hasObservationWithNameEqualTo(NAME).that().hasBeenStopped().doesNotHaveError()
                .hasParentObservationEqualTo(caller)
                .hasLowCardinalityKeyValue("gen_ai.response.model", "tiny")
                .hasHighCardinalityKeyValue("gen_ai.usage.output_tokens",
                        "" + last.getMetadata().getUsage().getCompletionTokens());
    }

    @Test
    void aRequestThatFailsIsAnOperationWithItsError() {
        assertThrows(PeftAdapters.UnknownAdapterException.class, () -> chat.call(prompt("hr")));
        TestObservationRegistryAssert.assertThat(registry).hasObservationWithNameEqualTo(NAME).that().hasBeenStopped()
                .hasError();
        assertThrows(PeftAdapters.UnknownAdapterException.class, () -> chat.stream(prompt("hr")).blockLast());
        TestObservationRegistryAssert.assertThat(registry).hasNumberOfObservationsWithNameEqualTo(NAME, 2)
                .hasAnObservation(context -> context.hasHighCardinalityKeyValue("gen_ai.request.stream", "true")
                        .hasError());
    }
}
