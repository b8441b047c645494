package io.peft4j.cli;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerGroup;
import io.peft4j.train.parallel.WorkerSocket;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options of a training that several machines share. */
@HelpGroup(HelpGroup.MACHINE)
final class WorkerOptions {
    @Option(names = "--workers", split = ",", paramLabel = "HOST:PORT", description = "Machines that train together, "
            + "each with the same command and its own --worker-rank: each computes its part of every update, and the "
            + "first one writes the output. What they send is not encrypted.")
    private List<String> workers = List.of();

    @Option(names = "--worker-rank", paramLabel = "N", description = "Which of the --workers this is, from 0.")
    private Integer rank;

    @Option(names = "--local-steps", paramLabel = "N", defaultValue = "1", description = "Updates that each of the "
            + "--workers makes by itself before all take the mean, for slow networks. Default: 1, which gives the "
            + "result of one machine.")
    private int localSteps;

    @Option(names = "--workers-secret", paramLabel = "TEXT", defaultValue = "${env:PEFT4J_WORKERS_SECRET}",
            description = "What only the --workers know; better given as the variable PEFT4J_WORKERS_SECRET, since "
                    + "others may see a command line.")
    private String secret;

    /** Whether this process writes the output. */
    boolean isFirst() {
        return workers.isEmpty() || rank == 0;
    }

    /** Whether some of them run on one machine, by their addresses. */
    boolean shareAMachine() {
        return workers.stream().map(worker -> worker.substring(0, Math.max(0, worker.lastIndexOf(':')))).distinct()
                .count() < workers.size();
    }

    /**
     * Checks what was given.
     *
     * @throws ConfigurationException when an address is none, or something is missing
     */
    void check() {
        if (workers.isEmpty()) {
            if (rank != null || localSteps != 1) {
                throw new ConfigurationException("--worker-rank and --local-steps are for a training with --workers");
            }
            return;
        }
        if (rank == null) {
            throw new ConfigurationException("--workers needs a --worker-rank from 0 to " + (workers.size() - 1)
                    + ", another one on each machine");
        }
        group();
    }

    private WorkerGroup group() {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String worker : workers) {
            int colon = worker.lastIndexOf(':');
            if (colon < 1 || !worker.substring(colon + 1).matches("[1-9]\\d{0,4}")
                    || Integer.parseInt(worker.substring(colon + 1)) > 65535) {
                throw new ConfigurationException("--workers has '" + worker + "', which is not HOST:PORT");
            }
            addresses.add(InetSocketAddress.createUnresolved(worker.substring(0, colon),
                    Integer.parseInt(worker.substring(colon + 1))));
        }
        if (secret == null || secret.isBlank()) {
            throw new ConfigurationException("--workers needs a secret that all machines are given: set the variable "
                    + "PEFT4J_WORKERS_SECRET");
        }
        return new WorkerGroup(rank, addresses, secret).withLocalSteps(localSteps);
    }

    /** Meets the other machines, where there are some. */
    WorkerCollective join() {
        if (workers.isEmpty()) {
            return WorkerCollective.one();
        }
        WorkerGroup group = group();
        try (WorkerSocket socket = WorkerSocket.open(group.addresses().get(rank).getPort())) {
            return socket.join(group);
        }
    }
}
