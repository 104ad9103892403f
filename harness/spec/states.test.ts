import { expect } from 'chai';
import { TCP_STATES } from '../endpoint/index.js';
import { isRequirement } from './requirement.js';
import { isLegalTransition, LEGAL_TRANSITIONS, legalPaths, requirementsOfPath } from './states.js';

describe('the state diagram', () => {
  it('lets every state be entered and left', () => {
    for (const state of TCP_STATES) {
      expect(
        LEGAL_TRANSITIONS.some((edge) => edge.to === state),
        `into ${state}`,
      ).to.equal(true);
      expect(
        LEGAL_TRANSITIONS.some((edge) => edge.from === state),
        `out of ${state}`,
      ).to.equal(true);
    }
  });

  it('has each transition once', () => {
    const edges = LEGAL_TRANSITIONS.map((edge) => `${edge.from} ${edge.to}`);
    expect(new Set(edges).size).to.equal(edges.length);
  });

  it('cites requirements that are in the catalogue', () => {
    for (const id of LEGAL_TRANSITIONS.flatMap((edge) => edge.requirements)) {
      expect(isRequirement(id), id).to.equal(true);
    }
    expect(requirementsOfPath(['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'])).to.deep.equal([
      'NOID-32',
      'NOID-41',
      'NOID-30',
    ]);
  });

  it('closes from CLOSE-WAIT through LAST-ACK, not CLOSING (RFC 1122 4.2.2.20 a)', () => {
    expect(isLegalTransition('CLOSE-WAIT', 'LAST-ACK')).to.equal(true);
    expect(isLegalTransition('CLOSE-WAIT', 'CLOSING')).to.equal(false);
  });

  it('forbids what the RFC does not draw', () => {
    expect(isLegalTransition('LAST-ACK', 'TIME-WAIT')).to.equal(false);
    expect(isLegalTransition('ESTABLISHED', 'LAST-ACK')).to.equal(false);
    expect(isLegalTransition('TIME-WAIT', 'ESTABLISHED')).to.equal(false);
  });
});

describe('the ways between two states', () => {
  it('are one from ESTABLISHED to LAST-ACK', () => {
    expect(legalPaths('ESTABLISHED', 'LAST-ACK')).to.deep.equal([['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK']]);
  });

  it('are three from FIN-WAIT-1 to TIME-WAIT, the shortest first', () => {
    expect(legalPaths('FIN-WAIT-1', 'TIME-WAIT')).to.deep.equal([
      ['FIN-WAIT-1', 'TIME-WAIT'],
      ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'],
      ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'],
    ]);
  });

  it('avoid states known not to have been entered', () => {
    expect(legalPaths('LISTEN', 'ESTABLISHED', ['SYN-SENT'])).to.deep.equal([
      ['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED'],
    ]);
  });

  it('are none where the diagram has no way, and none through CLOSED', () => {
    expect(legalPaths('LAST-ACK', 'ESTABLISHED')).to.deep.equal([]);
  });
});
