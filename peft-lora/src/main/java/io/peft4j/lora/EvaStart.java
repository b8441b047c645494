package io.peft4j.lora;

import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.Calibration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Begins by EVA: A as {@link EvaSearch} finds it, B zero, ranks where they explain most. */
record EvaStart(EvaConfig eva) implements LoraBeginning {
    @Override
    public List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets) {
        Calibration data = setup.calibration("init_lora_weights \"eva\"");
        EvaSearch search = new EvaSearch(setup.base(), eva, targets.stream().filter(LoraTarget::isLinear).toList());
        search.run(data.batches());
        List<LoraTarget> result = new ArrayList<>();
        for (LoraTarget target : targets) {
            if (!target.isLinear()) {
                result.add(target);
            } else if (search.rank(target.slot()) > 0) {
                result.add(begun(target, search.rank(target.slot()), search.directions(target.slot())));
            }
        }
        return result;
    }

    private LoraTarget begun(LoraTarget target, int rank, double[] directions) {
        float[] a = new float[directions.length];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) directions[i];
        }
        LoraStart start = new LoraStart(a, new float[target.linear().outFeatures() * rank], false);
        double alpha = eva.adjustScalingFactors() ? target.alpha() * rank / target.rank() : target.alpha();
        return new LoraTarget(target.slot(), rank, rank == target.rank() ? target.alpha() : alpha,
                Optional.of(() -> start));
    }
}
