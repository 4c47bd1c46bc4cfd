import ts from 'typescript';
import { nodeAgentSource } from './nodeAgent';

/** What Node 12 does not read, or does not know. */
const newer = new Set([
  ts.SyntaxKind.QuestionDotToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.PrivateIdentifier,
  ts.SyntaxKind.ClassStaticBlockDeclaration,
]);
const newerNames = /^(at|replaceAll|rmSync|structuredClone|hasOwn|findLast)$/;

it('the agent for Node is plain enough for Node 12', () => {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (newer.has(node.kind)) found.push(ts.SyntaxKind[node.kind]);
    if (ts.isPropertyAccessExpression(node) && newerNames.test(node.name.text)) found.push(node.name.text);
    if (ts.isStringLiteral(node) && node.text.startsWith('node:')) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('agent.js', nodeAgentSource, ts.ScriptTarget.Latest, true));
  expect(found).toEqual([]);
});
