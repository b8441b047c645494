package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.V;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** BEFT, RoAd, HiRA, DeLoRA and PEANuT keep what every method promises. */
class FactorsContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        BeftConfig beft = BeftConfig.builder().build();
        RoadConfig road = RoadConfig.builder().groupSize(4).build();
        HiraConfig hira = HiraConfig.builder().rank(2).build();
        DeloraConfig delora = DeloraConfig.builder().rank(2).lambda(3).build();
        PeanutConfig peanut = PeanutConfig.builder().rank(3).build();
        return List.of(
                at(Base.BIASED, "BEFT", beft, LAYERS * KEYS),
                new Case("BEFT without biases in the base", Base.PLAIN, beft.toBuilder().initWeights(false)
                        .targetModules("up_proj").build(), false, false, LAYERS * INNER),
                at(Base.BIASED, "RoAd", road, LAYERS * (H + KEYS)),
                at(Base.PLAIN, "RoAd, two angles", road.toBuilder().variant(RoadConfig.Variant.ROAD_2)
                        .targetModules("gate_proj").build(), LAYERS * 2 * INNER),
                moved(Base.BIASED, "RoAd, four angles, random start", road.toBuilder()
                        .variant(RoadConfig.Variant.ROAD_4).initWeights(false).build(), LAYERS * 4 * (H + KEYS)),
                at(Base.PLAIN, "HiRA", hira, LAYERS * 2 * (H + H + H + KEYS)),
                at(Base.TIED, "HiRA on an embedding, gaussian", hira.toBuilder()
                        .initialization(HiraConfig.Initialization.GAUSSIAN).targetModules("embed_tokens", "q_proj")
                        .build(), 2 * (V + H) + LAYERS * 2 * 2 * H),
                at(Base.BIASED, "DeLoRA", delora, LAYERS * (2 * (H + H + H + KEYS) + 2)),
                moved(Base.BIASED, "DeLoRA, random start, patterns, biases", delora.toBuilder().initWeights(false)
                        .rankPattern(Map.of("v_proj", 1)).lambdaPattern(Map.of("q_proj", 5.0)).bias(Bias.ADAPTED)
                        .build(), LAYERS * (2 * 2 * H + H + KEYS + 2 + H + KEYS)),
                at(Base.PLAIN, "PEANuT", peanut, LAYERS * 2 * 3 * (H + KEYS)),
                moved(Base.BIASED, "PEANuT, deep", peanut.toBuilder().depth(2).activation("tanh").scaling(2)
                        .initWeights(false).targetModules("down_proj").build(), LAYERS * (2 * 3 * H + 4 * 9)));
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(HiraConfig.builder().rank(2).dropout(0.5).build(),
                DeloraConfig.builder().rank(2).dropout(0.5).build());
    }
}
