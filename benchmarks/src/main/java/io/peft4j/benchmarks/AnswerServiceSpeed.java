package io.peft4j.benchmarks;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.eval.GenerationBenchmark;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Answers by four LoRA adapters: eight one after the other, in a batch of their own, and by the service; then the time
 * to the first token and the tokens a second of 1, 8 and 32 clients that ask again and again. Arguments: model,
 * precision, tokens of a prompt, tokens of an answer, rounds.
 */
public final class AnswerServiceSpeed {
    private static final int STREAMS = 8;
    private static final int ADAPTERS = 4;
    private static final int REQUESTS = 4;

    private final PeftModel model;
    private final List<Prompt> prompts;
    private final GenerationOptions options;

    private AnswerServiceSpeed(PeftModel model, int promptTokens, int newTokens) {
        this.model = model;
        this.prompts = GenerationBenchmark.randomPrompts((BaseModel) model.base(), 32 * REQUESTS, promptTokens, 0);
        this.options = GenerationOptions.defaults().withMaxNewTokens(newTokens);
    }

    /** Runs the program. */
    public static void main(String[] args) throws InterruptedException {
        ModelOptions loading = ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.valueOf(args[1].toUpperCase(Locale.ROOT)));
        try (BaseModel base = BaseModel.load(args[0], loading); PeftModel model = new PeftModel(base)) {
            for (int i = 0; i < ADAPTERS; i++) {
                model.addAdapter(adapter(i), LoraConfig.builder().rank(16).alpha(32)
                        .targetModules(TargetModules.ALL_LINEAR).build());
            }
            AnswerServiceSpeed speed = new AnswerServiceSpeed(model, Integer.parseInt(args[2]),
                    Integer.parseInt(args[3]));
            for (int round = 0; round < Integer.parseInt(args[4]); round++) {
                speed.streams();
            }
            for (int clients : new int[] {1, STREAMS, 32}) {
                speed.clients(clients);
            }
        }
    }

    private static String adapter(int number) {
        return "adapter" + number % ADAPTERS;
    }

    private void streams() {
        List<Prompt> eight = prompts.subList(0, STREAMS);
        List<String> names = IntStream.range(0, STREAMS).mapToObj(AnswerServiceSpeed::adapter).toList();
        double alone = tokensPerSecond(() -> IntStream.range(0, STREAMS).mapToObj(i -> model.with(names.get(i))
                .generate(List.of(eight.get(i)), options).get(0)).toList());
        double batch = tokensPerSecond(() -> model.generate(eight, names, options));
        double[] served = new double[2];
        for (int i = 0; i < 2; i++) {
            int count = i == 0 ? ADAPTERS : 1;
            try (AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults())) {
                served[i] = tokensPerSecond(() -> IntStream.range(0, STREAMS).mapToObj(s -> service.submit(
                        AnswerRequest.of(eight.get(s)).withAdapter(adapter(s % count)).withOptions(options))).toList()
                        .stream().map(pending -> pending.completions().join().get(0)).toList());
            }
        }
        System.out.printf("%d answers by %d adapters: %.1f tokens/s one after the other, %.1f in a batch, %.1f by the "
                + "service, %.1f by the service with one adapter%n", STREAMS, ADAPTERS, alone, batch, served[0],
                served[1]);
    }

    private static double tokensPerSecond(Supplier<List<Completion>> answers) {
        long begin = System.nanoTime();
        int tokens = answers.get().stream().mapToInt(each -> each.ids().length).sum();
        return tokens / ((System.nanoTime() - begin) / 1e9);
    }

    /** Clients that ask again as soon as they have their answer. */
    private void clients(int count) throws InterruptedException {
        double[] first = new double[count * REQUESTS];
        AtomicLong tokens = new AtomicLong();
        long begin = System.nanoTime();
        try (AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults().withPrefixes(false))) {
            List<Thread> threads = new ArrayList<>();
            for (int client = 0; client < count; client++) {
                int number = client;
                Thread thread = new Thread(() -> {
                    for (int i = 0; i < REQUESTS; i++) {
                        int request = number * REQUESTS + i;
                        long asked = System.nanoTime();
                        PendingAnswer pending = service.submit(AnswerRequest.of(prompts.get(request))
                                .withAdapter(adapter(number)).withOptions(options).withClient("client " + number)
                                .withListener((answer, piece, told) -> {
                                    first[request] = first[request] == 0 ? (System.nanoTime() - asked) / 1e6
                                            : first[request];
                                    return true;
                                }));
                        tokens.addAndGet(pending.completions().join().get(0).ids().length);
                    }
                });
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        double[] sorted = Arrays.stream(first).filter(time -> time > 0).sorted().toArray();
        System.out.printf("%d clients: first token after %.0f ms (p50), %.0f ms (p99); %.1f tokens/s%n", count,
                sorted[sorted.length / 2], sorted[(int) Math.ceil(0.99 * sorted.length) - 1], tokens.get() / seconds);
    }
}
