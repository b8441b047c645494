package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.peft.method.Sensitivity;
import io.peft4j.core.peft.method.TrainingHook;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The clusters that AdaMSS drops in a training; {@link AdamssConfig} says which. */
final class ClusterAllocator implements TrainingHook {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterAllocator.class);

    private final AdamssConfig config;
    /** A_k and B_k of each cluster of each layer. */
    private final List<List<Parameter>> clusters;
    private final List<List<Sensitivity>> averages;
    /** For each cluster 1 where it was dropped. */
    private final INDArray dropped;
    /** What a cluster's parameters held when it was dropped, by its number. */
    private final Map<Integer, List<float[]>> held = new LinkedHashMap<>();

    ClusterAllocator(AdamssConfig config, List<List<Parameter>> clusters) {
        this.config = config;
        this.clusters = clusters;
        this.averages = clusters.stream().map(cluster -> cluster.stream()
                .map(each -> new Sensitivity(each, config.beta1(), config.beta2(), true)).toList()).toList();
        this.dropped = Arrays.zeros(DataType.FLOAT, Math.max(1, clusters.size()));
    }

    /** A parameter without a gradient does not count in the norm of all, by which they are clipped. */
    @Override
    public double addToGradients(long step) {
        held.keySet().forEach(k -> clusters.get(k).forEach(Parameter::clearGradient));
        return 0;
    }

    @Override
    public void afterUpdate(long step, double gradientScale) {
        held.forEach((k, values) -> {
            for (int i = 0; i < values.size(); i++) {
                Arrays.write(clusters.get(k).get(i).value(), 0, values.get(i), 0, values.get(i).length);
            }
        });
        if (step < config.firstUpdate() || step > config.lastUpdate()) {
            return;
        }
        int[] trained = IntStream.range(0, clusters.size()).filter(k -> !held.containsKey(k)).toArray();
        IntStream.of(trained).forEach(k -> averages.get(k).forEach(average -> average.update(gradientScale)));
        if (step % config.interval() == 0) {
            drop(trained, target(step));
            averages.forEach(each -> each.forEach(Sensitivity::clear));
        }
    }

    private int target(long step) {
        double left = 1 - (double) (step - config.firstUpdate()) / (config.lastUpdate() - config.firstUpdate());
        int target = config.targetClusters();
        return (int) (target + (clusters.size() - target) * Math.pow(left, config.exponent()));
    }

    private void drop(int[] trained, int target) {
        if (target >= trained.length) {
            return;
        }
        float[] scores = new float[trained.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) averages.get(trained[i]).stream().mapToDouble(ClusterAllocator::mean).sum();
        }
        float[] sorted = scores.clone();
        java.util.Arrays.sort(sorted);
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] <= sorted[scores.length - target]) {
                hold(trained[i]);
            }
        }
        if (held.size() == clusters.size()) {
            LOG.warn("AdaMSS has dropped all its {} clusters, so the training changes none of them any more; use a "
                    + "larger asa_target_subspaces than {}", clusters.size(), config.targetClusters());
        }
    }

    private static double mean(Sensitivity average) {
        float[] scores = average.scores();
        return IntStream.range(0, scores.length).mapToDouble(i -> scores[i]).sum() / scores.length;
    }

    private void hold(int cluster) {
        held.put(cluster, clusters.get(cluster).stream().map(each -> Arrays.toFloats(each.value())).toList());
        Arrays.write(dropped, cluster, new float[] {1}, 0, 1);
    }

    @Override
    public void resumed() {
        float[] all = Arrays.toFloats(dropped);
        IntStream.range(0, clusters.size()).filter(k -> all[k] > 0).forEach(this::hold);
    }

    @Override
    public Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        averages.forEach(each -> each.forEach(average -> average.addTo(arrays)));
        arrays.put("dropped", dropped);
        return arrays;
    }

    @Override
    public void close() {
        averages.forEach(each -> each.forEach(Sensitivity::close));
        dropped.close();
    }
}
