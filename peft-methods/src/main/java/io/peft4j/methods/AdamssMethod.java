package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Sensitivity;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.random.TorchRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** AdaMSS; {@link AdamssConfig} says what it computes. */
@Internal
public final class AdamssMethod extends ConfiguredMethod<AdamssConfig> {
    @Override
    protected Adapter adapter(AdamssConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        List<INDArray> fixed = new ArrayList<>();
        List<AdapterLayer> layers = targets.layers(slot -> new AdamssLayer(setup, slot, config, fixed));
        return new LayeredAdapter(targets.named(config), layers, List.of(), Map.of(),
                () -> fixed.forEach(INDArray::close)) {
            @Override
            public TrainingHook training(long totalSteps) {
                return config.dropsClusters() ? new ClusterAllocator(config, layers().stream()
                        .filter(AdamssLayer.class::isInstance).map(AdamssLayer.class::cast)
                        .flatMap(AdamssLayer::clusters).toList()) : TrainingHook.NONE;
            }
        };
    }

    /**
     * AdaMSS on a linear layer (<a href="https://huggingface.co/docs/peft/package_reference/adamss">Hugging Face
     * PEFT</a>): {@code y = base(x) + x P^T A^T B^T}, and with a bias of the base {@code + p A^T B^T}: {@code
     * adamss_newB} [R, in], or [R, in + 1] with p [R] as the last column, not trained; {@code adamss_A.k} [r_k, R], one
     * below the other as A; {@code adamss_B.k} [rows of cluster k, r_k], at these rows and the columns of A_k in B
     * [out, sum of r_k].
     */
    private static final class AdamssLayer extends ChangeLayer {
        private final int rank;
        private final int allRanks;
        private final AdapterTensor directions;
        private final List<AdapterTensor> a = new ArrayList<>();
        private final List<AdapterTensor> b = new ArrayList<>();
        private final int[][] placesOfA;
        private final int[][] placesOfB;
        /** P, and p [1, R] where the base has a bias. */
        private final INDArray weightPart;
        private final Optional<INDArray> biasPart;

        AdamssLayer(AdapterSetup setup, Slot slot, AdamssConfig config, List<INDArray> fixed) {
            super(setup, slot, 0);
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int columns = in + (linear().bias().isPresent() ? 1 : 0);
            this.rank = Math.min(config.rank(), Math.min(out, columns));
            if (rank == out) {
                throw new ConfigurationException("r is " + config.rank() + ", and " + slot.path() + " has " + out
                        + " outputs: with as many directions all of them are equally far apart, and rounding decides "
                        + "on their clusters; use a smaller r, or other targets");
            }
            SearchedDirections found = SearchedDirections.of(withBias(columns), out, columns, rank, config.seed());
            this.directions = setup.tensor(slot, "adamss_newB", Initializer.values(Arrays.floats(found.vt())), rank,
                    columns).frozen().inPlaceOfBase();
            int[][] rows = rows(found.u(), out, Math.min(config.clusters(), out));
            int[] ranks = new int[rows.length];
            for (int k = 0; k < rows.length; k++) {
                SingularValues own = own(found.u(), rows[k]);
                ranks[k] = rank(setup, k, config, own, rows[k].length);
                this.a.add(setup.tensor(slot, "adamss_A." + k, Initializer.values(java.util.Arrays.copyOf(
                        Arrays.floats(own.vt()), ranks[k] * rank)), ranks[k], rank));
                this.b.add(setup.tensor(slot, "adamss_B." + k, config.start() == AdamssConfig.Start.BASE
                        ? Initializer.ZEROS : Initializer.normal(0.01), rows[k].length, ranks[k]));
            }
            this.allRanks = IntStream.of(ranks).sum();
            this.placesOfA = new int[rows.length][];
            this.placesOfB = new int[rows.length][];
            for (int k = 0; k < rows.length; k++) {
                int first = IntStream.of(ranks).limit(k).sum();
                int own = ranks[k];
                int[] cluster = rows[k];
                placesOfA[k] = IntStream.range(first * rank, (first + own) * rank).toArray();
                placesOfB[k] = IntStream.range(0, cluster.length * own)
                        .map(i -> cluster[i / own] * allRanks + first + i % own).toArray();
            }
            boolean isThere = setup.fits();
            float[] p = isThere ? Arrays.toFloats(directions.parameter().value()) : new float[rank * columns];
            this.weightPart = Arrays.of(SmallOps.columns(p, columns, 0, in), rank, in);
            this.biasPart = columns == in ? Optional.empty()
                    : Optional.of(Arrays.of(SmallOps.columns(p, columns, in, columns), 1,
                            rank));
            fixed.add(weightPart);
            biasPart.ifPresent(fixed::add);
        }

        private float[] withBias(int columns) {
            int in = linear().inFeatures();
            float[] weight = linear().weight().toFloats();
            if (columns == in) {
                return weight;
            }
            float[] bias = Arrays.toFloats(linear().bias().orElseThrow());
            float[] both = new float[bias.length * columns];
            for (int i = 0; i < both.length; i++) {
                both[i] = i % columns == in ? bias[i / columns] : weight[i / columns * in + i % columns];
            }
            return both;
        }

        private static int[][] rows(double[] u, int out, int clusters) {
            int[] labels = RowClusters.of(u.clone(), out, clusters);
            return IntStream.range(0, clusters)
                    .mapToObj(k -> IntStream.range(0, out).filter(i -> labels[i] == k).toArray()).toArray(int[][]::new);
        }

        /** The directions of a cluster's left singular vectors. */
        private SingularValues own(double[] u, int[] rows) {
            double[] part = new double[rows.length * rank];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(u, rows[i] * rank, part, i * rank, rank);
            }
            return SingularValues.whole(part, rows.length, rank, Math.min(rows.length, rank));
        }

        private int rank(AdapterSetup setup, int cluster, AdamssConfig config, SingularValues own, int rows) {
            if (!config.dynamicRank()) {
                return Math.min(Math.min(rows, rank), config.clusterRank());
            }
            double[] s = own.s();
            int large = (int) java.util.Arrays.stream(s).filter(v -> v * v > config.threshold() * s[0] * s[0]).count();
            int computed = Math.max(1, Math.min(large, config.clusterRank()));
            // Of a file what it has, where rounding decides.
            return setup.storedShape(slot(), "adamss_A." + cluster).filter(shape -> shape.length == 2
                    && shape[0] >= 1 && shape[0] <= s.length).map(shape -> (int) shape[0]).orElse(computed);
        }

        /** A_k and B_k of each cluster. */
        Stream<List<Parameter>> clusters() {
            return IntStream.range(0, a.size()).mapToObj(k -> List.of(a.get(k).parameter(), b.get(k).parameter()));
        }

        private Variable product(Tape tape, Variable h) {
            Variable first = SmallOps.placed(tape, a.stream().map(each -> tape.parameter(each.parameter())).toList(),
                    placesOfA, allRanks, rank);
            Variable second = SmallOps.placed(tape, b.stream().map(each -> tape.parameter(each.parameter())).toList(),
                    placesOfB, linear().outFeatures(), allRanks);
            return MatrixOps.product(tape, MatrixOps.product(tape, h, false, first, true), false, second, true);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            return product(tape, MatrixOps.product(tape, kept, false, tape.constant(weightPart), true));
        }

        @Override
        protected Optional<Variable> offset(Tape tape) {
            return biasPart.map(part -> product(tape, tape.constant(part)));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.of(List.of(directions), a, b).flatMap(List::stream).toList();
        }
    }

    /**
     * The singular vectors that {@code torch.svd_lowrank(matrix, q, niter=2)} finds (Halko, Martinsson and Tropp 2009,
     * <a href="https://arxiv.org/abs/0909.4061">0909.4061</a>) from the random numbers of a seed, up to their signs.
     *
     * @param u left vectors [m, q] in c order
     * @param vt right vectors [q, n] in c order
     */
    private record SearchedDirections(double[] u, double[] vt) {
        private static final int ROUNDS = 2;

        /** Of a matrix [m, n]; q at most m and n. */
        static SearchedDirections of(float[] matrix, int m, int n, int q, long seed) {
            if (m < n) {
                SearchedDirections other = of(Arrays.transposed(matrix, m, n), n, m, q, seed);
                return new SearchedDirections(transposed(other.vt, q, m), transposed(other.u, n, q));
            }
            double[] a = Arrays.doubles(matrix);
            double[] at = transposed(a, m, n);
            double[] q0 = Arrays.doubles(new TorchRandom(seed).normal(n * q, 1));
            double[] basis = orthogonal(DenseMath.product(a, m, n, q0, q), m, q);
            for (int round = 0; round < ROUNDS; round++) {
                double[] right = orthogonal(DenseMath.product(at, n, m, basis, q), n, q);
                basis = orthogonal(DenseMath.product(a, m, n, right, q), m, q);
            }
            double[] small = DenseMath.product(transposed(basis, m, q), q, m, a, n);
            SingularValues values = SingularValues.whole(small, q, n, q);
            return new SearchedDirections(DenseMath.product(basis, m, q, values.u(), q), values.vt());
        }

        /** Orthogonal columns that span those of a matrix. */
        private static double[] orthogonal(double[] columns, int m, int q) {
            return SingularValues.whole(columns, m, q, q).u();
        }

        private static double[] transposed(double[] a, int rows, int columns) {
            double[] result = new double[a.length];
            for (int i = 0; i < a.length; i++) {
                result[i % columns * rows + i / columns] = a[i];
            }
            return result;
        }
    }

    /** The clusters that AdaMSS drops in a training; {@link AdamssConfig} says which. */
    private static final class ClusterAllocator implements TrainingHook {
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
}
