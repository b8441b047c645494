package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SampledObjective.ToolCaller;
import io.peft4j.train.objective.SamplingOptions;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Answers of several turns, between which tools speak. */
class ToolTurnsTest {
    private static final int END_OF_TURN = 2;
    private static final int GROUP = 4;
    private static final List<AnswerGroup> PROMPTS = List.of(AnswerGroup.of("Why?"), AnswerGroup.of("When?"));
    /** What a tool says as the chat template has it, behind the end of the turn before. */
    private static final String SAID = "\n<|im_start|>tool\nbecause<|im_end|>\n<|im_start|>assistant\n";

    private PeftModel model;
    private final List<Prompt> asked = new ArrayList<>();
    private final List<Completion> given = new ArrayList<>();

    @BeforeEach
    void load() {
        model = PeftModel.load(KernelsUnderTest.sharedNaive("tiny-llama"), Fixtures.adapter("lora"));
    }

    @AfterEach
    void close() {
        model.close();
    }

    /** The model, whose turns end soon, with a record of what it answers and how likely each token was. */
    private LanguageModel recorded() {
        return (LanguageModel) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {LanguageModel.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("generate") && arguments.length == 2) {
                        return answer(arguments[0], (GenerationOptions) arguments[1]);
                    }
                    try {
                        return method.invoke(model, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private List<Completion> answer(Object prompts, GenerationOptions options) {
        List<Prompt> all = ((List<?>) prompts).stream().map(Prompt.class::cast).toList();
        List<Completion> answers = model.generate(all, options.withLogProbabilities(0).withSampling(
                options.sampling().withLogitBias(Map.of(END_OF_TURN, 4.0))));
        all.forEach(prompt -> asked.addAll(Collections.nCopies(options.answers(), prompt)));
        given.addAll(answers);
        return answers;
    }

    private StepMetrics train(ToolCaller tools, int turns, int most, GroupOptions options) {
        Grading grading = new Grading((item, answer) -> answer.length(), 2, Duration.ofMillis(200));
        SampledObjective objective = new SampledObjective(new GroupObjective(recorded(),
                options.withMaxCompletionLength(most, false)), grading,
                SamplingOptions.defaults()
                        .withGroupSize(GROUP),
                Optional.empty()).withTools(tools, turns);
        return Trainer.builder(model).epochs(1).batchSize(2).learningRate(1e-9).shuffle(false).build()
                .train(objective, PROMPTS).steps().get(0);
    }

    @Test
    void whatToolsSayIsReadAndNotLearned() {
        StepMetrics step = train((item, turn) -> Optional.of("because"), 3, 150, GroupOptions.grpo());
        int answers = PROMPTS.size() * GROUP;
        assertTrue(given.size() > 2 * answers, () -> given.size() + " turns");
        // Learned are the tokens of the turns, and each is as likely in training as it was when it was drawn.
        int tokens = given.stream().mapToInt(turn -> turn.ids().length).sum();
        assertEquals(tokens / (double) answers, step.measures().get("completions/mean_length"), 1e-9);
        double nll = given.stream().flatMap(turn -> turn.probabilities().stream())
                .mapToDouble(TokenProbability::logProbability).sum() / -tokens;
        // Sums of f32 in another order.
        assertEquals(nll, step.measures().get("entropy"), 1e-5 * nll);
        assertTrue(step.measures().get("tools/call_frequency") > 1, step.measures().toString());
    }

    @Test
    void aLaterTurnFollowsTheEarlierOneAndTheTool() {
        train((item, turn) -> Optional.of("because"), 2, 150, GroupOptions.grpo());
        int answers = PROMPTS.size() * GROUP;
        int[] between = model.tokenizer().encode(SAID);
        int follow = 0;
        for (int k = answers; k < given.size(); k++) {
            int[] ids = ((Prompt.Tokens) asked.get(k)).ids();
            for (int first = 0; first < answers; first++) {
                follow += isFollowing(ids, ((Prompt.Tokens) asked.get(first)).ids(), given.get(first).ids(), between)
                        ? 1 : 0;
            }
        }
        assertTrue(given.size() > answers && follow >= given.size() - answers, follow + " of " + given.size());
    }

    private static boolean isFollowing(int[] whole, int[]... parts) {
        int at = 0;
        for (int[] part : parts) {
            for (int id : part) {
                if (at == whole.length || whole[at++] != id) {
                    return false;
                }
            }
        }
        return at == whole.length;
    }

    @Test
    void aTurnThatCallsNothingEndsTheConversation() {
        StepMetrics step = train((item, turn) -> Optional.empty(), 3, 100, GroupOptions.grpo());
        assertEquals(PROMPTS.size() * GROUP, given.size());
        assertEquals(0, step.measures().get("tools/call_frequency"));
    }

    @Test
    void theTokensOfToolsCountForTheLimit() {
        StepMetrics step = train((item, turn) -> Optional.of("because ".repeat(100)), 2, 60, GroupOptions.rloo());
        assertEquals(PROMPTS.size() * GROUP, given.size());
        assertEquals(1, step.measures().get("completions/clipped_ratio"));
    }

    @Test
    void anAnswerWhoseToolFailsOrHangsHasNoGrade() {
        AtomicInteger calls = new AtomicInteger();
        StepMetrics step = train((item, turn) -> switch (calls.getAndIncrement() % 4) {
            case 0 -> throw new IllegalStateException("the table is gone");
            case 1 -> {
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                }
                yield Optional.empty();
            }
            default -> Optional.of("because");
        }, 2, 150, GroupOptions.grpo());
        double ungraded = step.measures().get("ungraded");
        assertTrue(ungraded > 0 && ungraded < 1, step.measures().toString());
    }

    @Test
    void oneTurnIsNoConversation() {
        assertThrows(ConfigurationException.class, () -> train((item, turn) -> Optional.empty(), 1, 60,
                GroupOptions.grpo()));
    }
}
