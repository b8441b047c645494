package io.peft4j.core.peft;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** A base model over a {@link TinyNetwork}, for tests: naive kernels, prompts as token ids, greedy answers. */
public class TinyModel implements BaseLanguageModel {
    private final TinyNetwork network;
    private final Engine engine;
    private final Lifetime lifetime;
    private final Tokenizer tokenizer;

    /** A model with the given network; closes it. */
    public TinyModel(TinyNetwork network) {
        this(network, new TinyTokenizer());
    }

    /** A model with the given network and tokenizer, whose chat template is the model's. */
    public TinyModel(TinyNetwork network, Tokenizer tokenizer) {
        this(network, tokenizer, new NaiveKernels());
    }

    /** A model with the given network, tokenizer and kernels; closes network and kernels. */
    public TinyModel(TinyNetwork network, Tokenizer tokenizer, Kernels kernels) {
        this.network = network;
        this.tokenizer = tokenizer;
        this.engine = new Engine(kernels);
        this.lifetime = new Lifetime("the model tiny", () -> {
            network.close();
            engine.close();
        });
    }

    private TinyModel(TinyModel whole, List<Integer> order) {
        this.network = whole.network.withLayers(order);
        this.tokenizer = whole.tokenizer;
        this.engine = whole.engine;
        this.lifetime = whole.lifetime;
    }

    @Override
    public TinyNetwork network() {
        return network;
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public ModelLease lease() {
        return new ModelLease(network, engine, LayerSelection.BASE, List.of(lifetime.lease()));
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return tokenizer.chatTemplate();
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of();
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    public TinyModel withLayers(List<Integer> order) {
        return new TinyModel(this, order) {
            @Override
            public List<Integer> layerOrder() {
                return order;
            }

            @Override
            public void close() {
                // All is the other model's.
            }
        };
    }

    @Override
    public List<Completion> generate(ModelLease model, List<Prompt> prompts, GenerationOptions options) {
        List<Completion> completions = new ArrayList<>();
        for (Prompt prompt : prompts) {
            int[] ids = ((Prompt.Tokens) prompt).ids();
            int length = ids.length;
            for (int i = 0; i < options.maxNewTokens(); i++) {
                // The last token predicts one more, whichever; its logits are the last V.
                int[] sequence = IntStream.concat(IntStream.of(ids), IntStream.of(0)).toArray();
                float[] logits = Passes.logits(model, List.of(sequence));
                int last = logits.length - TinyNetwork.VOCABULARY;
                int best = IntStream.range(last, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a)
                        .orElseThrow() - last;
                ids = IntStream.concat(IntStream.of(ids), IntStream.of(best)).toArray();
            }
            completions.add(new Completion("", java.util.Arrays.copyOfRange(ids, length, ids.length),
                    Completion.StopReason.LENGTH, length));
        }
        return completions;
    }

    @Override
    public void close() {
        lifetime.close();
    }
}
