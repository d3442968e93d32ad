import { describe, expect, it } from "vitest";
import { branchAt, buildTree, clusterColors, clustersAt } from "../../src/core/dendrogram.ts";
import { naiveLabels, randomLinkage, seeded } from "../samples.ts";

describe.each([2, 3, 10, 40])("a tree of %i leaves", (leaves) => {
  const linkage = randomLinkage(leaves, seeded(leaves));
  const tree = buildTree(linkage);
  const cuts = [0, ...Array.from(tree.height), tree.top / 2, tree.top + 1];

  it("has the clusters that the definition gives, at every height", () => {
    for (const cut of cuts) {
      const { labels, count, starts } = clustersAt(tree, cut, leaves);
      expect([...labels]).toEqual(naiveLabels(linkage, leaves, cut));
      expect(count).toBe(Math.max(...labels));
      expect(starts.slice(0, -1)).toEqual(Array.from({ length: count }, (_, c) => labels.indexOf(c + 1)));
    }
  });

  it("finds the branch of a leaf as the cluster that holds it", () => {
    for (const cut of cuts) {
      const { labels } = clustersAt(tree, cut, leaves);
      for (let leaf = 0; leaf < leaves; leaf++) {
        const branch = branchAt(tree, leaf, cut);
        expect(branch).toEqual([labels.indexOf(labels[leaf]), labels.lastIndexOf(labels[leaf])]);
      }
    }
  });

  it("stands every merge between its two branches", () => {
    tree.height.forEach((_, i) => {
      const [a, b] = [tree.position[tree.children[2 * i]], tree.position[tree.children[2 * i + 1]]];
      expect(a).toBeLessThan(b);
      expect(tree.position[leaves + i]).toBe((a + b) / 2);
    });
  });
});

it("survives a chain of 20,000 leaves without recursion", () => {
  const leaves = 20_000;
  const linkage = new Float64Array(4 * (leaves - 1));
  for (let i = 0; i < leaves - 1; i++)
    linkage.set([i === 0 ? 0 : leaves + i - 1, i + 1, i + 1, i + 2], 4 * i);
  expect(clustersAt(buildTree(linkage), 5, leaves).count).toBe(leaves - 5);
});

it("leaves constant rows out of every cluster", () => {
  const tree = buildTree([0, 1, 0.5, 2]);
  expect([...clustersAt(tree, 1, 4).labels]).toEqual([1, 1, 0, 0]);
});

it("has no clusters without a tree", () => {
  expect(clustersAt(null, 1, 3)).toEqual({ labels: Int32Array.of(0, 0, 0), count: 0, starts: [0] });
});

it("refuses leaves that are not in display order", () => {
  expect(() => buildTree([0, 2, 0.1, 2, 1, 3, 0.2, 3])).toThrow(
    /linkage row 0 joins rows that are not neighbours/,
  );
});

it("colours only clusters of several units, in turn", () => {
  const clusters = { labels: new Int32Array(7), count: 4, starts: [0, 2, 3, 5, 7] };
  expect([...clusterColors(clusters, 2)]).toEqual([0, -1, 1, 0]);
});
