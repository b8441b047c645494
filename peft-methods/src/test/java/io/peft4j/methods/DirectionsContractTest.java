package io.peft4j.methods;

import static io.peft4j.methods.Sizes.H;
import static io.peft4j.methods.Sizes.INNER;
import static io.peft4j.methods.Sizes.KEYS;
import static io.peft4j.methods.Sizes.LAYERS;
import static io.peft4j.methods.Sizes.at;
import static io.peft4j.methods.Sizes.moved;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** FRoD and OSF, which begin from singular directions, keep what every method promises. */
class DirectionsContractTest extends PeftFilesContract {
    @Override
    protected List<Case> cases() {
        OsfConfig osf = OsfConfig.builder().keptRank(3).targetModules("q_proj", "v_proj").build();
        return List.of(
                moved(Base.PLAIN, "FRoD", FrodConfig.builder().sparseRate(0.1).build(), LAYERS * 2 * (H + 6)),
                moved(Base.BIASED, "FRoD on few rows, random start", FrodConfig.builder().initWeights(false)
                        .targetModules("k_proj").layersToTransform(0).build(), H + 1),
                at(Base.PLAIN, "OSF", osf, LAYERS * ((H - 3) * (2 * H + 1) + (KEYS - 3) * (H + KEYS + 1))),
                moved(Base.BIASED, "OSF, a share, a pattern, random start", osf.toBuilder().keptRank(0.5)
                        .rankPattern(Map.of("layers.1.*up", 6.0)).initWeights(false)
                        .targetModules("up_proj", "k_proj").build(),
                        LAYERS * (KEYS / 2) * (H + KEYS + 1) + (H / 2 + H - 6) * (H + INNER + 1)));
    }

    /** Gradients of OSF lose their parts along the kept directions. */
    @Override
    protected boolean isDerivative(Parameter parameter) {
        return !parameter.name().endsWith("U_low") && !parameter.name().endsWith("V_low");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(FrodConfig.builder().dropout(0.5).build());
    }
}
