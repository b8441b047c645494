package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many clients at once, beside a training, while adapters come and go: no answer is another than the one alone. */
@Tag("full")
class AnswersUnderLoadTest {
    private static final String MODEL = "tiny-llama";
    private static final List<String> ADAPTERS = List.of("lora", "dora", "embedding", "rslora");
    private static final int CLIENTS = 16;
    private static final int REQUESTS = 4;
    private static final AnswerServiceOptions OPTIONS = AnswerServiceOptions.defaults().withRows(8)
            .withPromptChunk(32).withCacheBytes(1536 * 384L);

    private static AnswerRequest request(int number) {
        int shared = number % 3 == 0 ? 0 : 66;
        Prompt prompt = Prompt.tokens(IntStream.range(0, shared + 4 + number * 13 % 50)
                .map(i -> i < shared ? 3 + i * 7 % 300 : 3 + (number * 29 + i * 11) % 300).toArray());
        return AnswerRequest.of(prompt).withAdapter(number % 5 == 4 ? PeftModel.BASE : ADAPTERS.get(number % 5))
                .withOptions(GenerationOptions.defaults().withMaxNewTokens(4 + number % 7 * 4)
                        .withSampling(number % 2 == 0 ? Sampling.greedy() : Sampling.of(1, number)));
    }

    private static int[] alone(PeftModel model, AnswerRequest request) {
        String[] names = request.adapter().equals(PeftModel.BASE) ? new String[0] : new String[] {request.adapter()};
        return model.with(names).generate(List.of(request.prompt()), request.options()).get(0).ids();
    }

    private static PeftModel model(BaseModel base) {
        PeftModel model = new PeftModel(base);
        ADAPTERS.forEach(name -> model.loadAdapter(name, Fixtures.adapter(name)));
        return model;
    }

    @Test
    void answersBesideATrainingAreThoseAlone() throws Exception {
        BaseModel base = KernelsUnderTest.sharedBest(MODEL);
        Map<Integer, int[]> expected = new ConcurrentHashMap<>();
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS + 1);
        AtomicBoolean answered = new AtomicBoolean();
        try (PeftModel model = model(base);
                PeftModel trained = base.withAdapter(LoraConfig.builder().rank(4).build());
                AnswerService service = AnswerService.open(model, OPTIONS)) {
            IntStream.range(0, 40).forEach(i -> expected.put(i, alone(model, request(i))));
            Future<?> training = clients.submit(() -> {
                do {
                    Trainer.builder(trained).epochs(1).batchSize(8).learningRate(2e-4).build()
                            .train(Fixtures.examples());
                } while (!answered.get());
            });
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int c = 0; c < CLIENTS; c++) {
                String client = "client " + c;
                int first = c * 7;
                tasks.add(() -> {
                    for (int i = 0; i < REQUESTS; i++) {
                        int number = (first + i) % 40;
                        PendingAnswer pending = service.submit(request(number).withClient(client));
                        assertArrayEquals(expected.get(number), pending.completions().join().get(0).ids(),
                                "request " + number);
                    }
                    return null;
                });
            }
            for (Future<Void> each : clients.invokeAll(tasks)) {
                each.get();
            }
            answered.set(true);
            training.get();
            assertEquals(0, service.status().usedCacheRows());
            assertTrue(service.status().reusedTokens() > 0);
        } finally {
            answered.set(true);
            clients.shutdown();
        }
    }

    /** The adapter "hr" is one or the other of two all the time: an answer is that of the one or of the other. */
    @Test
    void answersWhileAdaptersAreSwappedAreThoseOfOneOfThem() throws Exception {
        BaseModel base = KernelsUnderTest.sharedBest(MODEL);
        ExecutorService clients = Executors.newFixedThreadPool(4);
        AtomicBoolean swapped = new AtomicBoolean();
        try (PeftModel model = model(base); AnswerService service = AnswerService.open(model, OPTIONS)) {
            model.loadAdapter("hr", Fixtures.adapter("lora"));
            AnswerRequest request = request(21);
            List<int[]> allowed = List.of(alone(model, request.withAdapter("lora")),
                    alone(model, request.withAdapter("dora")));
            assertFalse(Arrays.equals(allowed.get(0), allowed.get(1)));
            List<Future<Integer>> answers = new ArrayList<>();
            for (int c = 0; c < 4; c++) {
                answers.add(clients.submit(() -> {
                    int count = 0;
                    do {
                        Completion got = service.submit(request.withAdapter("hr")).completions().join().get(0);
                        assertTrue(allowed.stream().anyMatch(ids -> Arrays.equals(ids, got.ids())));
                        count++;
                    } while (!swapped.get());
                    return count;
                }));
            }
            for (int i = 0; i < 30; i++) {
                model.hotSwap("hr", Fixtures.adapter(i % 2 == 0 ? "dora" : "lora"));
            }
            swapped.set(true);
            for (Future<Integer> each : answers) {
                assertTrue(each.get() > 0);
            }
            model.deleteAdapter("hr");
            int[] last = service.submit(request.withAdapter("lora")).completions().join().get(0).ids();
            assertArrayEquals(allowed.get(0), last);
        } finally {
            swapped.set(true);
            clients.shutdown();
        }
    }
}
