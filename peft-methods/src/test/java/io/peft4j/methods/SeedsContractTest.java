package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Uni-LoRA, TinyLoRA and WaveFT, which draw numbers from a seed, keep what every method promises. */
class SeedsContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        UniLoraConfig one = UniLoraConfig.builder().rank(2).length(9).build();
        TinyLoraConfig tiny = TinyLoraConfig.builder().length(3).build();
        WaveFtConfig waves = WaveFtConfig.builder().frequencies(6).scaling(2).build();
        return List.of(
                moved(Base.PLAIN, "Uni-LoRA", one, 9),
                moved(Base.BIASED, "Uni-LoRA, saved choice, longer than its uses, biases", one.toBuilder()
                        .saveIndices(true).length(100).initWeights(false).targetModules("down_proj").bias(Bias.ADAPTED)
                        .build(), 100 + LAYERS * H),
                at(Base.PLAIN, "TinyLoRA", tiny, LAYERS * 2 * 3),
                at(Base.BIASED, "TinyLoRA, all share one, projection not saved", tiny.toBuilder().rank(6)
                        .weightTying(1).saveProjection(false).build(), 3),
                moved(Base.TIED, "TinyLoRA on an embedding", tiny.toBuilder().weightTying(0.5)
                        .initialization(TinyLoraConfig.Initialization.UNIFORM).initBound(0.5)
                        .targetModules("embed_tokens", "k_proj").build(), 2 * 3),
                at(Base.PLAIN, "WaveFT", waves, LAYERS * 2 * 6),
                moved(Base.BIASED, "WaveFT, longer wavelet, pattern, random start", waves.toBuilder().wavelet("db3")
                        .initWeights(false).scaling(30).frequencyPattern(Map.of("v_proj", 3)).build(),
                        LAYERS * (6 + 3)),
                at(Base.PLAIN, "WaveFT without a transform, in proportion", waves.toBuilder().transformed(false)
                        .proportional(true).targetModules("q_proj", "gate_proj", "v_proj").build(),
                        LAYERS * proportion(H * H, H * INNER, H * KEYS)));
    }

    /** Of 6 for each of three layers. */
    private static int proportion(int... elements) {
        int sum = 0;
        for (int number : elements) {
            sum += (int) Math.rint(18.0 * number / (elements[0] + elements[1] + elements[2]));
        }
        return sum;
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(UniLoraConfig.builder().rank(2).dropout(0.5).build(),
                TinyLoraConfig.builder().length(3).dropout(0.5).build());
    }
}
